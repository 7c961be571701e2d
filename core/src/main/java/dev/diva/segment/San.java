package dev.diva.segment;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.clip.Clip;
import dev.diva.clip.VisionConfig;
import dev.diva.clip.VisionTower;
import dev.diva.engine.Kernels;
import dev.diva.engine.Precision;
import dev.diva.model.KeyValues;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Side Adapter Network (CVPR 2023, arXiv 2302.12242) on a frozen CLIP with a class token: it proposes masks and, for each, biases for the
 * attention of CLIP's last layers, in which a copy of the class token for each mask then says what is in it.
 *
 * <p>Nothing in CLIP sees those copies, so CLIP runs once, as it is, and the copies attend to the keys and values of its patches: the
 * same numbers as one sequence under a mask, at half the work, and shared by all depths of the side network that are decoded.
 */
public final class San implements AutoCloseable {
    /** What a file may hold beside it: the CLIP and its texts, buffers of the loss, normalisation constants. */
    private static final Pattern NOT_TRAINED =
            Pattern.compile("(clip_visual_extractor|clip_rec_head|ov_classifier|criterion)\\..*" + "|pixel_(mean|std)");

    private final Clip clip;
    private final VisionTower tower;
    private final SanSettings settings;
    private final SanShape shape;
    private final Weights weights;
    private final Tensor positions; // CLIP's table, which SAN trains
    private final Tensor background; // [1, embedding]
    private final SideNetwork side;
    private final MaskDecoder decoder;

    /**
     * What a depth of the side network says of a batch.
     *
     * @param masks logits, [batch, queries, rows, columns], on the side network's grid
     * @param bias of the attention heads, [batch, heads, queries, rows, columns]
     * @param embeddings of the masks, of length 1, [batch, queries, embedding]
     * @param classes logits, the background last, [batch, queries, classes + 1]
     */
    public record Output(Tensor masks, Tensor bias, Tensor embeddings, Tensor classes) {}

    /** @param weights under SAN's names; the caller's */
    private San(Clip clip, Weights weights, SanSettings settings, SanShape shape) {
        VisionConfig vision = clip.config().vision();
        long width = vision.transformer().hiddenSize();
        this.clip = clip;
        this.tower = clip.visionTower();
        this.settings = settings;
        this.shape = shape;
        this.weights = weights;
        this.positions = weights.vector(SanFile.POSITIONS, vision.numTokens(), width);
        this.background = weights.vector(SanFile.BACKGROUND, 1, vision.projectionDim());
        Weights network = weights.at(SanFile.SIDE);
        this.side = new SideNetwork(
                network, shape, settings, width, clip.placement().precision().dtype());
        this.decoder = new MaskDecoder(
                network.at("mask_decoder"), shape, vision.transformer().numAttentionHeads());
        weights.ignore(NOT_TRAINED);
        weights.finish();
    }

    /**
     * Loads a checkpoint of SAN's authors' code or a file of what SAN trains.
     *
     * @param settings what the tensors do not tell, a YAML file; null for {@code san.yaml} beside the checkpoint, or the CLIP's preset
     * @param clip frozen; the caller closes it, after this
     * @throws BadInputException for a CLIP without a class token, another CLIP than the one it was trained on, or tensors that do not fit
     */
    public static San load(Path file, Path settings, Clip clip) {
        requireClassToken(clip);
        VisionConfig vision = clip.config().vision();
        TensorSource source = SanFile.open(file);
        try (PointerScope scope = new PointerScope()) {
            SanFile.requireSameTower(source, clip);
            SanSettings read = SanFile.settings(file, settings, vision);
            SanShape shape = SanShape.of(source);
            read.requireFit(vision, shape, settings == null ? file.toString() : settings.toString());
            SanFile.requireSameClip(source, clip, read.recognitionLayer());
            return new San(clip, Weights.frozen(source, clip.placement().with(Precision.FP32)), read, shape);
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /**
     * A SAN that learns: fp32 masters of all its tensors.
     *
     * @param start a checkpoint to go on from, or null for new weights of that seed and shape
     * @param learnsPositions whether CLIP's table of positions learns as well, as in the published recipe
     * @throws BadInputException as {@link #load}
     */
    public static San trained(
            Path start, long seed, SanSettings settings, SanShape shape, Clip clip, boolean learnsPositions) {
        requireClassToken(clip);
        TensorSource source = start == null ? InitialSan.of(seed, clip.stored()) : SanFile.open(start);
        try (PointerScope scope = new PointerScope()) {
            SanFile.requireSameTower(source, clip);
            SanShape sizes = start == null ? shape : SanShape.of(source);
            settings.requireFit(clip.config().vision(), sizes, "recipe");
            SanFile.requireSameClip(source, clip, settings.recognitionLayer());
            Weights weights = Weights.trained(
                    source,
                    clip.placement().with(Precision.FP32),
                    name -> learnsPositions || !name.equals(SanFile.POSITIONS));
            return new San(clip, weights, settings, sizes);
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /** Refuses a CLIP that there is no SAN on. */
    public static void requireClassToken(Clip clip) {
        if (!clip.config().vision().isPlainClip()) {
            throw new BadInputException(
                    clip.file()
                            + ": is a SigLIP or another relative of CLIP; SAN names each mask by a copy of CLIP's class"
                            + " token, so there is no SAN on it; MaskCLIP (diva segment --method maskclip) works for every tower");
        }
    }

    /** Writes what it trains with its settings, as a folder that {@link #load} reads. */
    public void write(Path folder) {
        SanFile.write(folder, weights.tensors(), settings, clip);
    }

    /**
     * The file of tensors that a path names: itself, or that of a finished run.
     *
     * @throws BadInputException when the run is not finished
     */
    public static Path checkpoint(Path path) {
        return SanFile.in(path);
    }

    /**
     * The settings of a checkpoint.
     *
     * @throws BadInputException when there is neither {@code san.yaml} beside it nor a preset of the CLIP
     */
    public static SanSettings settingsOf(Path path, VisionConfig clip) {
        return SanFile.settings(path, null, clip);
    }

    /** Where a run leaves its SAN. */
    public static Path inRun(Path run) {
        return run.resolve(SanFile.FOLDER);
    }

    /** The CLIP that it sees with. */
    public Clip clip() {
        return clip;
    }

    /** What its tensors do not tell. */
    public SanSettings settings() {
        return settings;
    }

    /** Its sizes. */
    public SanShape shape() {
        return shape;
    }

    /** What learns, by SAN's names. */
    public Map<String, Tensor> parameters() {
        return weights.parameters();
    }

    /** All its tensors, by SAN's names. */
    public Map<String, Tensor> tensors() {
        return weights.tensors();
    }

    /** The learned vector of what is no class, [1, embedding]. */
    public Tensor background() {
        return background;
    }

    /** Refuses NaN and infinity, naming the tensor of CLIP or of this that holds such a number. */
    void requireFinite(Tensor computed) {
        if (!BrokenWeights.isFinite(computed)) {
            refuseBroken();
            BrokenWeights.requireFinite(computed, weights);
        }
    }

    /**
     * Looks at all tensors of CLIP and of this.
     *
     * @throws BadInputException naming the first that holds NaN or infinity
     */
    public void refuseBroken() {
        clip.refuseBroken();
        BrokenWeights.refuse(weights);
    }

    /**
     * Masks and their classes, by the last block of the side network.
     *
     * @param pixels normalised and padded to a multiple of the side network's patch, [batch, 3, height, width]
     * @param classes unit vectors, the background last, [classes + 1, embedding]
     */
    public Output forward(Tensor pixels, Tensor classes) {
        return forward(pixels, classes, List.of(shape.blocks()), (name, value) -> {})
                .get(0);
    }

    /**
     * The same by several blocks of the side network.
     *
     * @param decoded numbers of blocks, from 1
     */
    List<Output> forward(Tensor pixels, Tensor classes, List<Integer> decoded, SideNetwork.Watch watch) {
        return forward(pixels, view(pixels, watch), classes, decoded, watch);
    }

    /**
     * The same where CLIP has run.
     *
     * @param view of {@link #view}
     */
    public List<Output> forward(Tensor pixels, ClipView view, Tensor classes, List<Integer> decoded) {
        return forward(pixels, view, classes, decoded, (name, value) -> {});
    }

    private List<Output> forward(
            Tensor pixels, ClipView view, Tensor classes, List<Integer> decoded, SideNetwork.Watch watch) {
        List<Tensor> tokens = side.forward(pixels, view.maps()::get, watch);
        List<Output> outputs = new ArrayList<>();
        for (int block : decoded) {
            MaskDecoder.Masks masks =
                    decoder.forward(tokens.get(block), pixels.size(2) / shape.patch(), pixels.size(3) / shape.patch());
            Tensor embeddings = recognised(view, patchBias(masks.bias(), view.rows(), view.columns()));
            outputs.add(new Output(masks.logits(), masks.bias(), embeddings, logits(embeddings, classes)));
        }
        return outputs;
    }

    /**
     * Runs CLIP.
     *
     * @param pixels of {@link #forward(Tensor, Tensor)}
     */
    public ClipView view(Tensor pixels) {
        return view(pixels, (name, value) -> {});
    }

    private ClipView view(Tensor pixels, SideNetwork.Watch watch) {
        Tensor small = clipPixels(pixels);
        watch.saw("clip_pixels", small);
        List<Tensor> states = clipStates(small, watch);
        Tensor deep = states.get(settings.recognitionLayer());
        long[] grid = grid(pixels.size(2), pixels.size(3));
        Map<Integer, Tensor> maps = new TreeMap<>();
        settings.fusion().forEach((block, outputs) -> maps.put(block, map(states.get(outputs), grid)));
        List<KeyValues> patches = tower.layers().keyValues(deep, settings.recognitionLayer()).stream()
                .map(keyValues -> keyValues.without(1))
                .toList();
        return new ClipView(maps, deep.narrow(1, 0, 1), patches, grid[0], grid[1]);
    }

    private long patch() {
        return clip.config().vision().patchSize();
    }

    /** Sampled at steps of 1 / share, not of the ratio of the sizes; sizes are cut off in double precision. */
    private Tensor clipPixels(Tensor pixels) {
        double share = settings.clipResolution();
        return torch.upsample_bilinear2d(
                pixels,
                clipSize(pixels.size(2), pixels.size(3)),
                false,
                new DoubleOptional(share),
                new DoubleOptional(share));
    }

    private long[] clipSize(long height, long width) {
        long[] size = {(long) (height * settings.clipResolution()), (long) (width * settings.clipResolution())};
        if (size[0] < patch() || size[1] < patch()) {
            throw new BadInputException("a picture of " + width + "x" + height + " pixels leaves CLIP " + size[1] + "x"
                    + size[0] + ", less than one patch of " + patch());
        }
        return size;
    }

    /** Rows and columns of CLIP's patches in a picture. */
    public long[] grid(long height, long width) {
        long[] size = clipSize(height, width);
        return new long[] {size[0] / patch(), size[1] / patch()};
    }

    /** CLIP's table of positions as it is now, [tokens, width]. */
    public Tensor positions() {
        return positions;
    }

    /** What enters CLIP's layers and what each gives, as far as the first one of recognition. */
    private List<Tensor> clipStates(Tensor pixels, SideNetwork.Watch watch) {
        List<Tensor> states = new ArrayList<>();
        states.add(tower.embedAnySize(pixels, positions));
        watch.saw("clip.0", states.get(0));
        for (int i = 0; i < settings.recognitionLayer(); i++) {
            states.add(tower.layers().layer(i, states.get(i)));
            watch.saw("clip." + (i + 1), states.get(i + 1));
        }
        return states;
    }

    /** Patches [batch, 1 + patches, width] as a map [batch, width, rows, columns]. */
    private static Tensor map(Tensor state, long... grid) {
        return state.narrow(1, 1, grid[0] * grid[1])
                .transpose(1, 2)
                .reshape(state.size(0), state.size(2), grid[0], grid[1])
                .to(ScalarType.Float);
    }

    /** [batch, heads, queries, rows, columns] to [batch, heads, queries, patches of CLIP]: the largest value under each. */
    static Tensor patchBias(Tensor bias, long... grid) {
        return torch.adaptive_max_pool2d(bias.flatten(0, 1), grid)
                .get0()
                .view(bias.size(0), bias.size(1), bias.size(2), grid[0] * grid[1]);
    }

    private Tensor recognised(ClipView view, Tensor bias) {
        Tensor copies = view.classToken().expand(-1, shape.queries(), -1);
        Tensor hidden = tower.layers().beside(copies, settings.recognitionLayer(), view.patches(), bias);
        return Kernels.unit(tower.projected(hidden).to(ScalarType.Float));
    }

    private Tensor logits(Tensor embeddings, Tensor classes) {
        return embeddings.matmul(classes.t()).mul(new Scalar(clip.logitScale()));
    }

    /** Frees its own weights; the CLIP stays. */
    @Override
    public void close() {
        weights.close();
    }
}
