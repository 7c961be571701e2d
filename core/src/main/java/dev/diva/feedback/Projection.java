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
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The trained linear layer from the tower's width to the teacher's cross-attention width, with bias; fp32 masters. */
public final class Projection implements AutoCloseable {
    private static final List<String> PREFIXES = List.of("", "visual_proj.", "projection.");
    private static final String STREAM = "projection";

    private final Tensor weight; // [out, in]
    private final Tensor bias; // [out]
    private final Linear linear;

    private Projection(Tensor weight, Tensor bias, Device device) {
        this.weight = master(weight, device);
        this.bias = master(bias, device);
        this.linear = Linear.of(this.weight, this.bias);
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
            return new Projection(weight, bias, device);
        }
    }

    /**
     * Reads {@code weight} [out, in] and {@code bias} [out], alone or under {@code visual_proj.} or {@code projection.}; other tensors of
     * the file are not looked at.
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
            return new Projection(tensors.read(prefix + "weight"), tensors.read(prefix + "bias"), device);
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
        return linear.forward(tokens);
    }

    /** The masters as {@code visual_proj.weight} and {@code visual_proj.bias}. */
    public Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        parameters.put("visual_proj.weight", weight);
        parameters.put("visual_proj.bias", bias);
        return parameters;
    }

    /** Writes {@code weight} and {@code bias}; {@link #load} reads them. */
    public void write(Path file) {
        SafetensorsWriter.write(file, new TreeMap<>(Map.of("weight", weight, "bias", bias)), Map.of());
    }

    @Override
    public void close() {
        Scopes.release(weight);
        Scopes.release(bias);
    }
}
