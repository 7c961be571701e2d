package dev.diva.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.HiddenTokens;
import dev.diva.clip.TowerSource;
import dev.diva.data.RasterImage;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.language.Generation;
import dev.diva.language.KeyValueCache;
import dev.diva.language.Llama;
import dev.diva.language.LlamaTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A frozen LLaVA-1.5 that answers. What stands before a question, system sentence and image, is computed once for all questions of an image that
 * come one after the other. Not thread safe.
 *
 * <pre>{@code
 * try (Llava llava = Llava.load(folder, Llava.Options.DEFAULT);
 *         ImageTokens image = llava.image(picture, ImageAspect.PAD)) {
 *     String prompt = PromptTemplate.VICUNA_V1.ask("Is there a dog?", true);
 *     System.out.println(llava.answer(prompt, image, Generation.greedy(128)).text());
 * }
 * }</pre>
 */
public final class Llava implements AutoCloseable {
    /** What a tower that belongs to the folder is called: {@code config}, {@code checkpoint}. */
    public static final Set<String> OWN_TOWERS = Set.of(Towers.NAMED, Towers.INNER);

    private final LlavaFolder folder;
    private final LlavaConfig config;
    private final HiddenTokens tower;
    private final Weights weights;
    private final Llama language;
    private final Projector projector;
    private final LlamaTokenizer tokenizer;
    private final Set<Long> ends;
    private final KeyValueCache cache;
    private ImageTokens rememberedImage; // or null
    private long[] rememberedText = {};
    private int rememberedLength;

    /**
     * How to load.
     *
     * @param precision format of matrix products
     * @param threads of one libtorch operation; 0 takes all cores
     * @param tower path of a CLIP to see with, {@code config} or {@code checkpoint} where a folder has both, or null for its own
     * @param format layout of a tower outside of the folder, or null to find it
     * @param base model beneath an adapter or projector, or null for the one that its config names
     * @param device {@code cpu}, {@code cuda} or {@code cuda:1}
     */
    public record Options(
            Precision precision, int threads, String tower, CheckpointFormat format, Path base, String device) {
        /** fp32, all cores, as the folder says. */
        public static final Options DEFAULT = new Options(Precision.FP32, 0, null, null, null);

        /** The same with another tower. */
        public Options withTower(String other) {
            return new Options(precision, threads, other, format, base, device);
        }

        /** The same on another device. */
        public Options withDevice(String other) {
            return new Options(precision, threads, tower, format, base, other);
        }

        /** On the processor. */
        public Options(Precision precision, int threads, String tower, CheckpointFormat format, Path base) {
            this(precision, threads, tower, format, base, "cpu");
        }
    }

    private Llava(LlavaFolder folder, HiddenTokens tower, Placement placement) {
        this.folder = folder;
        this.config = folder.config();
        this.tower = tower;
        this.weights = Weights.frozen(folder.withoutTower(), placement);
        weights.ignore(LlavaNames.BUFFERS);
        this.language = new Llama(weights, config.language());
        this.projector =
                new Projector(weights, config.visionWidth(), config.language().hiddenSize());
        weights.finish();
        this.tokenizer = folder.tokenizer();
        this.cache = new KeyValueCache(config.language(), placement);
        requireImageToken();
        this.ends = ends();
    }

    /**
     * Loads a folder of either layout.
     *
     * @throws BadInputException when it is no LLaVA-1.5, its parts do not fit, or two towers differ and nobody says which
     */
    public static Llava load(Path path, Options options) {
        Engine.setThreads(options.threads);
        Placement placement = Placement.on(options.device, options.precision);
        LlavaFolder folder = LlavaFolder.open(path, options.base);
        HiddenTokens tower = null;
        try (PointerScope scope = new PointerScope()) {
            TowerSource source = new Towers(folder, options.format).open(options.tower);
            int layers = folder.config().layersOf(source.config().transformer().numHiddenLayers());
            tower = HiddenTokens.read(source, layers, folder.config().withClassToken(), placement);
            return new Llava(folder, tower, placement);
        } catch (RuntimeException e) {
            if (tower != null) {
                tower.close();
            }
            folder.close();
            throw e;
        }
    }

    /**
     * Refuses from configs and headers what {@link #load} would refuse: no LLaVA-1.5, two towers, one that does not fit.
     *
     * @return what is assumed of the tower because no file tells it, a line each
     * @throws BadInputException as {@link #load}
     */
    public static List<String> check(Path path, Options options) {
        try (LlavaFolder folder = LlavaFolder.open(path, options.base);
                TowerSource tower = new Towers(folder, options.format).open(options.tower)) {
            return tower.notes();
        }
    }

    private void requireImageToken() {
        if (config.layout() == LlavaConfig.Layout.HF) {
            OptionalLong image = tokenizer.idOf(PromptTemplate.IMAGE);
            if (image.isEmpty() || image.getAsLong() != config.imageTokenId()) {
                throw new BadInputException(config.json().location() + ": image_token_index is " + config.imageTokenId()
                        + ", but " + PromptTemplate.IMAGE + " is "
                        + (image.isEmpty() ? "no token" : "token " + image.getAsLong()) + " of the tokenizer");
            }
        }
    }

    /** What ends an answer: the ids of the generation config, or of the config, the tokenizer's among them. */
    private Set<Long> ends() {
        Path file = folder.folder().resolve("generation_config.json");
        JsonNode named = Files.exists(file) ? ConfigJson.read(file).node().path("eos_token_id") : null;
        Set<Long> found = new HashSet<>();
        if (named != null && named.isArray()) {
            named.forEach(id -> found.add(id.asLong()));
        } else if (named != null && named.isIntegralNumber()) {
            found.add(named.asLong());
        } else {
            found.add(tokenizer.endId());
        }
        if (!found.contains(tokenizer.endId())) {
            throw new BadInputException(file + ": eos_token_id is " + named + ", but the tokenizer ends texts with "
                    + tokenizer.endId() + "; put the model's own tokenizer files there");
        }
        return found;
    }

    /** What the folder says. */
    public LlavaConfig config() {
        return config;
    }

    /** The language model, for whoever works with tensors. */
    public Llama language() {
        return language;
    }

    /** From the tower's tokens to the language model's. */
    public Projector projector() {
        return projector;
    }

    /** The tower, up to the layer that is taken. */
    public HiddenTokens tower() {
        return tower;
    }

    /** The tokenizer of the folder. */
    public LlamaTokenizer tokenizer() {
        return tokenizer;
    }

    /** Sees an image. */
    public ImageTokens image(RasterImage image, ImageAspect aspect) {
        RasterImage square = aspect.apply(image, tower.preprocessing().mean());
        float[] pixels = tower.preprocessing().pixels(square);
        long size = tower.tower().config().imageSize();
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            return new ImageTokens(projector.forward(tower.forward(Tensors.of(pixels, 1, 3, size, size))));
        }
    }

    /** Answers at once; see {@link #answer(String, ImageTokens, Generation, Consumer)}. */
    public Answer answer(String prompt, ImageTokens image, Generation generation) {
        return answer(prompt, image, generation, text -> {});
    }

    /**
     * Continues a prompt.
     *
     * @param prompt byte by byte, with {@link PromptTemplate#IMAGE} where the image belongs
     * @param image null for a prompt without
     * @param listener told of the text as it grows, piece by piece
     * @throws BadInputException for a placeholder without image or an image without placeholder, and for a prompt that is too long
     */
    public Answer answer(String prompt, ImageTokens image, Generation generation, Consumer<String> listener) {
        Prompt ids = tokenized(prompt);
        requireImage(ids, image);
        long positions = ids.ids().length + (image == null ? 0 : image.count() - 1);
        if (positions > config.language().maxPositions()) {
            throw new BadInputException("the prompt takes " + positions + " positions"
                    + (image == null ? "" : ", " + image.count() + " of them for the image") + "; the model has "
                    + config.language().maxPositions() + ": shorten it");
        }
        TextStream text = new TextStream(tokenizer, listener);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor last = lastState(ids, image);
            BrokenWeights.requireFinite(last, weights);
            long[] tokens = generation.run(language, cache, last, ends, text::add);
            boolean isComplete = ends.contains(tokens[tokens.length - 1]);
            long[] promptIds = config.layout() == LlavaConfig.Layout.HF && image != null
                    ? ids.expanded(config.imageTokenId(), image.count())
                    : ids.ids();
            return new Answer(text.end(), list(tokens), list(promptIds), isComplete);
        }
    }

    private static List<Long> list(long... ids) {
        return Arrays.stream(ids).boxed().toList();
    }

    Prompt tokenized(String prompt) {
        return config.layout() == LlavaConfig.Layout.HF
                ? Prompt.whole(prompt, tokenizer, config.imageTokenId())
                : Prompt.inParts(prompt, tokenizer);
    }

    private static void requireImage(Prompt prompt, ImageTokens image) {
        int given = image == null ? 0 : 1;
        if (prompt.images() != given) {
            throw new BadInputException("the prompt has " + prompt.images() + " " + PromptTemplate.IMAGE
                    + (prompt.images() == 1 ? " placeholder, " : " placeholders, ") + given
                    + (given == 1 ? " image is" : " images are") + " given; each needs the other");
        }
    }

    /** State of the prompt's last token, [1, 1, width]. */
    private Tensor lastState(Prompt prompt, ImageTokens image) {
        long[] after = prompt.after();
        Tensor states;
        if (image == null || after.length == 0) {
            forget();
            states = language.forward(merged(prompt, image), cache);
        } else {
            // Always in two parts, so that an answer does not depend on what was asked before.
            remember(prompt.before(), image);
            states = language.forward(language.embed(Tensors.of(after, 1, after.length)), cache);
        }
        return states.narrow(1, states.size(1) - 1, 1);
    }

    /** The embeddings of a prompt with the image in its place, [1, positions, width]. */
    Tensor merged(Prompt prompt, ImageTokens image) {
        long[] before = prompt.before();
        long[] after = prompt.after();
        TensorVector parts = new TensorVector(language.embed(Tensors.of(before, 1, before.length)));
        if (image != null) {
            parts.push_back(image.tensor());
            parts.push_back(language.embed(Tensors.of(after, 1, after.length)));
        }
        return torch.cat(parts, 1);
    }

    private void remember(long[] before, ImageTokens image) {
        if (rememberedImage == image && Arrays.equals(rememberedText, before)) {
            cache.rewind(rememberedLength);
            return;
        }
        forget();
        Tensor text = language.embed(Tensors.of(before, 1, before.length));
        var unused = language.forward(torch.cat(new TensorVector(text, image.tensor()), 1), cache);
        rememberedImage = image;
        rememberedText = before;
        rememberedLength = cache.length();
    }

    private void forget() {
        cache.rewind(0);
        rememberedImage = null;
    }

    @Override
    public void close() {
        cache.close();
        tokenizer.close();
        weights.close();
        tower.close();
        folder.close();
    }
}
