package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.data.RasterImage;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.model.Tokenizer;
import java.awt.image.BufferedImage;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A frozen CLIP or SigLIP that gives embeddings: the library's front door. Loads every layout; embeddings leave as plain floats.
 *
 * <p>Safe for any number of threads: one at a time computes, on the threads of {@link Options}, and images that several threads bring at
 * once are computed together. After {@link #close} every method that computes throws an {@link IllegalStateException}. Tensors that
 * {@link #visionTower} and {@link #stored} hand out are the caller's to guard.
 *
 * <pre>{@code
 * try (Clip clip = Clip.load(Path.of("models/clip-vit-large-patch14"))) {
 *     float[][] images = clip.embed(Path.of("cat.jpg"), Path.of("dog.jpg"));
 *     float[][] texts = clip.embed(List.of("a photo of a cat", "a photo of a dog"));
 * }
 * }</pre>
 */
public final class Clip implements AutoCloseable {
    /** Buffers that the libraries save among the weights, and CoCa's decoder, which writes captions. */
    private static final Pattern UNUSED =
            Pattern.compile(".*\\.(position_ids|num_batches_tracked)|caption_decoder\\..*");

    private final ClipFiles files;
    private final Weights weights;
    private final ClipCheckpoint checkpoint;
    private final Options options;
    private final ClipConfig config;
    private final Preprocessing preprocessing;
    private final VisionTower vision;
    private final Logits logits;
    private final Batches batches;
    private final ClipTexts texts;
    private final Map<Scale, JointBatches> imageRequests = new EnumMap<>(Scale.class);
    private String imageTower; // computed when asked for
    private boolean closed;

    /**
     * How to load and run.
     *
     * @param precision format of matrix products
     * @param threads of one libtorch operation; 0 takes all cores
     * @param batchSize images, or texts of full length, computed at once; of texts that are run at their own length more
     * @param format layout of the checkpoint, or null to find it
     * @param device {@code cpu}, {@code cuda} or {@code cuda:1}
     * @param usedOnce whether a processor converts matrices of linear layers, but for int8, in each call and keeps none: sooner for one batch
     */
    public record Options(
            Precision precision, int threads, int batchSize, CheckpointFormat format, String device, boolean usedOnce)
            implements Serializable {
        /** fp32, all cores, 16 at once, layout found in the content. */
        public static final Options DEFAULT = new Options(Precision.FP32, 0, 16, null);

        /** The same in another precision. */
        public Options withPrecision(Precision other) {
            return new Options(other, threads, batchSize, format, device, usedOnce);
        }

        /** The same on so many threads; 0 takes all cores. */
        public Options withThreads(int count) {
            return new Options(precision, count, batchSize, format, device, usedOnce);
        }

        /** The same for a layout that the user named; null to find it. */
        public Options withFormat(String name) {
            CheckpointFormat named = name == null ? null : CheckpointFormat.of(name);
            return new Options(precision, threads, batchSize, named, device, usedOnce);
        }

        /** The same on another device. */
        public Options withDevice(String other) {
            return new Options(precision, threads, batchSize, format, other, usedOnce);
        }

        /** The same for a single batch, or for many. */
        public Options withUsedOnce(boolean once) {
            return new Options(precision, threads, batchSize, format, device, once);
        }

        /** On the processor. */
        public Options(Precision precision, int threads, int batchSize, CheckpointFormat format) {
            this(precision, threads, batchSize, format, "cpu", false);
        }

        public Options {
            if (batchSize < 1) {
                throw new IllegalArgumentException("batchSize " + batchSize + ", expected at least 1");
            }
        }
    }

    /** Length of the embeddings that are handed out. */
    public enum Scale {
        /** Divided by their L2 norm. */
        UNIT,
        /** As the tower gives them. */
        RAW
    }

    private Clip(ClipCheckpoint checkpoint, Options options) {
        this.checkpoint = checkpoint;
        this.options = options;
        this.files = new ClipFiles(checkpoint);
        this.config = files.config();
        this.preprocessing = files.preprocessing(config.vision());
        this.weights = Weights.frozen(checkpoint.tensors(), Placement.on(options.device, options.precision));
        if (options.usedOnce && weights.placement().device().is_cpu()) {
            weights.usedOnce();
        }
        weights.ignore(UNUSED);
        this.vision = new VisionTower(weights, config.vision());
        if (config.hasText()) {
            new TextTower(weights.unread(), config.text());
        }
        this.logits = Logits.of(weights, checkpoint.tensors());
        weights.finish();
        this.batches = new Batches(weights, options.batchSize);
        this.texts = new ClipTexts(config, files, checkpoint.tensors(), weights.placement(), options.batchSize);
        for (Scale scale : Scale.values()) {
            imageRequests.put(
                    scale,
                    new JointBatches(
                            this, options.batchSize, JointBatches.PATIENCE, pixels -> embeddings(pixels, scale)));
        }
    }

    /** Loads a folder or file of any layout in fp32; see {@link #load(Path, Path, Options)}. */
    public static Clip load(Path path) {
        return load(path, Options.DEFAULT);
    }

    /** Loads a folder or file of any layout; see {@link #load(Path, Path, Options)}. */
    public static Clip load(Path path, Options options) {
        return load(path, null, options);
    }

    /**
     * Loads a folder or file of any layout with the image tower of another file.
     *
     * @param visual the state dictionary of an image tower alone, as un2CLIP publishes it, or null for none
     * @throws BadInputException when it is no CLIP, its config disagrees with its tensors, or that file has not just the tensors of the tower
     */
    public static Clip load(Path path, Path visual, Options options) {
        Engine.setThreads(options.threads);
        ClipCheckpoint checkpoint = ClipCheckpoint.open(path, options.format, visual);
        try (PointerScope scope = new PointerScope()) {
            return new Clip(checkpoint, options);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /** Where and in which format it computes. */
    public Placement placement() {
        return weights.placement();
    }

    /** Shape of both towers. */
    public ClipConfig config() {
        return config;
    }

    /** What was assumed because no file tells it, and what was passed over because nothing is known of it: a line each, for people. */
    public List<String> notes() {
        return files.notes();
    }

    /** How images become {@code pixels}. */
    public Preprocessing preprocessing() {
        return preprocessing;
    }

    /** The published tower that this one has the shape of. */
    public Optional<Backbone> backbone() {
        return Backbones.of(config.vision(), preprocessing, checkpoint.file().toString());
    }

    /** Layout of the checkpoint. */
    public CheckpointFormat format() {
        return checkpoint.format();
    }

    /** The file or index that holds the tensors. */
    public Path file() {
        return checkpoint.file();
    }

    /** Both towers as they are stored, under our names. */
    public TensorSource stored() {
        return checkpoint.tensors();
    }

    /** The image tower, for whoever works with tensors. */
    public VisionTower visionTower() {
        return vision;
    }

    /** Width of the embeddings. */
    public int embeddingDim() {
        return Math.toIntExact(config.vision().projectionDim());
    }

    /**
     * L2-normalised embeddings of image files, decoded and transformed by all cores.
     *
     * @return a row per file
     * @throws BadInputException for the first file that is no image
     */
    public float[][] embed(Path... files) {
        float[][] rows = new float[files.length][];
        for (int from = 0; from < files.length; from += options.batchSize) {
            int to = Math.min(files.length, from + options.batchSize);
            List<float[]> pixels = Arrays.stream(files, from, to)
                    .parallel()
                    .map(preprocessing::pixels)
                    .toList();
            System.arraycopy(encodeImages(pixels), 0, rows, from, to - from);
        }
        return rows;
    }

    /** The L2-normalised embedding of an image. */
    public float[] embed(BufferedImage image) {
        return encodeImages(List.of(preprocessing.pixels(RasterImage.of(image))))[0];
    }

    /** L2-normalised embeddings of texts, a row per text; see {@link #encodeTexts(List, Scale)}. */
    public float[][] embed(List<String> strings) {
        return encodeTexts(strings);
    }

    /** L2-normalised embeddings of pixels; see {@link #encodeImages(List, Scale)}. */
    public float[][] encodeImages(List<float[]> pixels) {
        return encodeImages(pixels, Scale.UNIT);
    }

    /** A row per image; pixels are each as {@link Preprocessing#pixels} of {@link #preprocessing} gives them. */
    public float[][] encodeImages(List<float[]> pixels, Scale scale) {
        return imageRequests.get(scale).run(pixels);
    }

    private List<float[]> embeddings(List<float[]> pixels, Scale scale) {
        begin();
        return Arrays.asList(batches.run(
                pixels.size(),
                (from, to) -> scaled(batches.ofImages(vision, pixels.subList(from, to), vision::embeddingOf), scale)));
    }

    /**
     * All tokens of images, the pooled one first, normed and projected; not divided by their norm.
     *
     * @return for each image (1 + patches) * width values
     */
    public synchronized float[][] encodeTokens(List<float[]> pixels) {
        begin();
        batches.requireEqualLengths(config.vision());
        return batches.run(
                pixels.size(),
                (from, to) -> batches.ofImages(
                        vision,
                        pixels.subList(from, to),
                        images -> vision.tokens(vision.encode(images)).all().flatten(1, -1)));
    }

    /** L2-normalised embeddings of texts. */
    public float[][] encodeTexts(List<String> strings) {
        return encodeTexts(strings, Scale.UNIT);
    }

    /**
     * Embeddings of texts.
     *
     * @return a row per text
     * @throws BadInputException when the checkpoint has no text tower or no tokenizer
     */
    public synchronized float[][] encodeTexts(List<String> strings, Scale scale) {
        Tokenizer ready = tokenizer();
        return encodeIds(strings.stream().map(ready::encode).toList(), scale);
    }

    /** Embeddings of texts that were tokenised elsewhere: a row of contextLength ids per text. */
    public synchronized float[][] encodeIds(List<long[]> ids, Scale scale) {
        begin();
        return texts.encode(ids, embeddings -> scaled(embeddings, scale));
    }

    /**
     * Looks at what the image tower computed.
     *
     * @throws BadInputException for NaN or infinity; names the tensor that holds such a number
     */
    public void requireFinite(Tensor computed) {
        BrokenWeights.requireFinite(computed, weights);
    }

    /** Throws what {@link #requireFinite} would throw, if any tensor is to blame. */
    public void refuseBroken() {
        BrokenWeights.refuse(weights);
    }

    /** The tokenizer of the checkpoint, opened on first use. */
    public synchronized Tokenizer tokenizer() {
        requireOpen();
        return texts.tokenizer();
    }

    /** Names the text tower by its content: equal for models that give the same embeddings of texts. */
    public synchronized String textTower() {
        requireOpen();
        return texts.digest(checkpoint.format() + " " + options.precision);
    }

    /** Names the image tower by its stored content, rounded to fp16: equal for copies of it. */
    public synchronized String imageTower() {
        requireOpen();
        if (imageTower == null) {
            imageTower = TowerDigest.ofImages(stored());
        }
        return imageTower;
    }

    /** Gives up the memory of the text tower, which is read again when it is asked for: for those who have their vectors of classes. */
    public synchronized void releaseTexts() {
        texts.release();
    }

    /** Factor of the cosine similarities in logits: the exponential of what is stored. */
    public float logitScale() {
        return logits.scale();
    }

    /** Added to the logits: SigLIP's bias, 0 for CLIP. */
    public float logitBias() {
        return logits.bias();
    }

    /** Waits for what is being computed; later calls do nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        texts.close();
        weights.close();
        checkpoint.close();
    }

    /** The image tower's weights, as this computes with them. */
    Weights weights() {
        return weights;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("this Clip is closed");
        }
    }

    /** A thread that computes for the first time has libtorch's default number of threads, not this model's. */
    private void begin() {
        requireOpen();
        if (Engine.threads() != Engine.threads(options.threads)) {
            Engine.setThreads(options.threads);
        }
    }

    private static Tensor scaled(Tensor embeddings, Scale scale) {
        Tensor x = embeddings.to(ScalarType.Float);
        return scale == Scale.RAW ? x : x.div(x.norm(new ScalarOptional(new Scalar(2.0)), new long[] {-1}, true));
    }
}
