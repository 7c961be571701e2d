package dev.diva.feedback;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Scopes;
import dev.diva.model.Linear;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The trained linear layer from the tower's width to the teacher's cross-attention width, with bias; fp32 masters. One that is anchored in texts
 * takes embeddings of unit length, centred and scaled, and gives condition tokens of the lengths that the teacher's own have ({@link Anchor}).
 */
public final class Projection implements AutoCloseable {
    private static final List<String> PREFIXES = List.of("", "visual_proj.", "projection.");
    private static final String STREAM = "projection";

    private final Tensor weight; // [out, in]
    private final Tensor bias; // [out]
    private final Linear linear;
    private Anchor anchor; // null for a plain layer

    private Projection(Tensor weight, Tensor bias, Anchor anchor, Device device) {
        this.weight = master(weight, device);
        this.bias = master(bias, device);
        this.linear = Linear.of(this.weight, this.bias);
        this.anchor = anchor;
    }

    /**
     * As torch initialises a linear layer: uniform in +-1 / sqrt(in), weight first, then bias.
     *
     * @param seed of the recipe; the numbers come from the stream {@code projection} of it
     */
    public static Projection random(long in, long out, long seed, Device device) {
        try (PointerScope scope = new PointerScope()) {
            Generator generator = new RandomStreams(seed).stream(STREAM);
            double bound = 1 / Math.sqrt(in);
            Tensor weight = torch.empty(out, in).uniform_(-bound, bound, new GeneratorOptional(generator));
            Tensor bias = torch.empty(out).uniform_(-bound, bound, new GeneratorOptional(generator));
            return new Projection(weight, bias, null, device);
        }
    }

    /**
     * Reads {@code weight} [out, in] and {@code bias} [out], alone or under {@code visual_proj.} or {@code projection.}, and what {@link Anchor}
     * names where the layer is anchored; other tensors of the file are not looked at.
     *
     * @throws BadInputException when they are not there or do not fit
     */
    public static Projection load(Path file, long in, long out, Device device) {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile tensors = SafetensorsFile.open(file)) {
            String prefix = PREFIXES.stream()
                    .filter(p -> tensors.info(p + "weight") != null && tensors.info(p + "bias") != null)
                    .findFirst()
                    .orElseThrow(() -> new BadInputException(file + ": no projection in it: expected weight and bias,"
                            + " or visual_proj.weight and visual_proj.bias"));
            requireShape(file, tensors.info(prefix + "weight"), out, in);
            requireShape(file, tensors.info(prefix + "bias"), out);
            Anchor anchor = Anchor.in(tensors) ? Anchor.read(tensors, in, out) : null;
            return new Projection(tensors.read(prefix + "weight"), tensors.read(prefix + "bias"), anchor, device);
        }
    }

    /** Whether embeddings are centred and scaled, and condition tokens get lengths. */
    public boolean isAnchored() {
        return anchor != null;
    }

    /** Whether an anchored layer has to be told the centre of the embeddings before it can be used. */
    public boolean needsCenter() {
        return anchor != null && anchor.center() == null;
    }

    /** Condition tokens of an anchored layer. */
    public long tokens() {
        return anchor.lengths().length;
    }

    /** Tells an anchored layer the centre of the embeddings that it will be given. */
    public void centerAt(EmbeddingCenter center) {
        anchor = new Anchor(center, anchor.lengths());
    }

    /**
     * The anchored projection of a file of {@code diva anchor} as it takes embeddings of captions, not of images.
     *
     * @param width of the teacher's cross-attention
     * @throws BadInputException when the file is none, or of another teacher
     */
    public static Projection ofTexts(Path file, long width, Device device) {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile tensors = SafetensorsFile.open(file)) {
            EmbeddingCenter texts = Anchor.texts(tensors);
            long tokens = Anchor.tokens(tensors).orElseThrow();
            Projection loaded = load(file, texts.mean().length, tokens * width, device);
            loaded.centerAt(texts);
            return loaded;
        }
    }

    /** Condition tokens that the anchored projection of a file gives; empty for a plain one. */
    public static Optional<Integer> tokensOf(Path file) {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            return Anchor.tokens(tensors);
        }
    }

    private static void requireShape(Path file, TensorInfo info, long... shape) {
        if (!Arrays.equals(info.shape(), shape)) {
            throw new BadInputException(file + ": " + info.name() + " is " + Arrays.toString(info.shape())
                    + ", expected " + Arrays.toString(shape)
                    + " ([width of the teacher's cross-attention, width of the tower's tokens])");
        }
    }

    private static Tensor master(Tensor value, Device device) {
        Tensor copy = value.to(device, torch.kFloat()).clone();
        return Scopes.keep(copy.set_requires_grad(true));
    }

    /** [batch, tokens, in] to [batch, tokens, out]. */
    public Tensor forward(Tensor tokens) {
        return anchor == null ? linear.forward(tokens) : anchor.after(linear.forward(anchor.before(tokens)));
    }

    /** The masters as {@code visual_proj.weight} and {@code visual_proj.bias}. */
    public Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        parameters.put("visual_proj.weight", weight);
        parameters.put("visual_proj.bias", bias);
        return parameters;
    }

    /** Writes {@code weight} and {@code bias}, with those of the anchor; {@link #load} reads them. */
    public void write(Path file) {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> tensors = new TreeMap<>(Map.of("weight", weight, "bias", bias));
            if (anchor != null) {
                tensors.putAll(anchor.tensors());
            }
            SafetensorsWriter.write(file, tensors, Map.of());
        }
    }

    @Override
    public void close() {
        Scopes.release(weight);
        Scopes.release(bias);
    }
}
