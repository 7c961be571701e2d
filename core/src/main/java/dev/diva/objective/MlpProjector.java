package dev.diva.objective;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import java.nio.file.Files;
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
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * From an embedding to what a denoiser is told, as GenHancer and DCR have it: layer norm, linear, exact GELU, linear, under the keys 0, 1
 * and 3; fp32.
 */
public final class MlpProjector implements AutoCloseable {
    private static final double NORM_EPS = 1e-5;

    private final String name;
    private final Map<String, Tensor> tensors; // by key, such as 1.weight
    private final LayerNorm norm;
    private final Linear linear1;
    private final Linear linear2;

    private MlpProjector(String name, Map<String, Tensor> values, Device device, boolean learns) {
        this.name = name;
        this.tensors = new LinkedHashMap<>();
        values.forEach((key, value) -> {
            Tensor copy = value.to(device, ScalarType.Float).clone();
            tensors.put(key, Scopes.keep(copy.set_requires_grad(learns)));
        });
        this.norm = LayerNorm.of(tensors.get("0.weight"), tensors.get("0.bias"), NORM_EPS);
        this.linear1 = Linear.of(tensors.get("1.weight"), tensors.get("1.bias"));
        this.linear2 = Linear.of(tensors.get("3.weight"), tensors.get("3.bias"));
    }

    private static Map<String, long[]> shapes(long in, long out) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("0.weight", new long[] {in});
        shapes.put("0.bias", new long[] {in});
        shapes.put("1.weight", new long[] {out, in});
        shapes.put("1.bias", new long[] {out});
        shapes.put("3.weight", new long[] {out, out});
        shapes.put("3.bias", new long[] {out});
        return shapes;
    }

    /**
     * A new one that learns, as torch initialises its layers.
     *
     * @param name such as {@code project_clip}; also names the stream of random numbers
     */
    public static MlpProjector random(String name, long in, long out, long seed, Device device) {
        try (PointerScope scope = new PointerScope()) {
            Generator generator = new RandomStreams(seed).stream(name);
            Map<String, Tensor> values = new LinkedHashMap<>();
            shapes(in, out).forEach((key, shape) -> {
                double bound = 1 / Math.sqrt(key.startsWith("1") ? in : out);
                values.put(
                        key,
                        key.startsWith("0")
                                ? torch.full(
                                        shape,
                                        new Scalar(key.endsWith("weight") ? 1.0 : 0.0),
                                        new TensorOptions(ScalarType.Float))
                                : torch.empty(shape, new TensorOptions(ScalarType.Float), null)
                                        .uniform_(-bound, bound, new GeneratorOptional(generator)));
            });
            return new MlpProjector(name, values, device, true);
        }
    }

    /**
     * Reads one, bare or under its name; other tensors of the file are not looked at.
     *
     * @param learns whether it gets gradients
     * @throws BadInputException when it is not there, or of another tower or denoiser
     */
    public static MlpProjector load(Path file, String name, long in, long out, Device device, boolean learns) {
        if (!Files.isRegularFile(file)) {
            throw new BadInputException(
                    file + ": no such file; expected the projector " + name + " that the first stage has trained");
        }
        try (PointerScope scope = new PointerScope();
                TensorSource source = TensorFile.open(file)) {
            String prefix = List.of(name + ".", "").stream()
                    .filter(p -> source.info(p + "0.weight") != null)
                    .findFirst()
                    .orElseThrow(() -> new BadInputException(
                            file + ": no projector in it: expected " + name + ".0.weight, or 0.weight"));
            Map<String, Tensor> values = new LinkedHashMap<>();
            shapes(in, out).forEach((key, shape) -> {
                requireShape(file, prefix + key, source.info(prefix + key), shape);
                values.put(key, source.read(prefix + key));
            });
            return new MlpProjector(name, values, device, learns);
        }
    }

    private static void requireShape(Path file, String key, TensorInfo info, long... shape) {
        if (info == null || !Arrays.equals(info.shape(), shape)) {
            throw new BadInputException(file + ": " + (info == null ? key + " is missing" : info.toString())
                    + ", expected " + Arrays.toString(shape)
                    + " (widths of the tower's embedding and of the denoiser's condition): it was trained with another"
                    + " tower or denoiser");
        }
    }

    /** [batch, in] to [batch, out]. */
    public Tensor forward(Tensor embedding) {
        return Scopes.returning(() -> linear2.forward(linear1.forward(norm.forward(embedding), Activation.GELU)));
    }

    /** Width of what it gives. */
    public long width() {
        return tensors.get("3.bias").size(0);
    }

    /** The masters that learn, as {@code NAME.1.weight} and so on; empty when it is frozen. */
    public Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        named().forEach((key, tensor) -> {
            if (tensor.requires_grad()) {
                parameters.put(key, tensor);
            }
        });
        return parameters;
    }

    private Map<String, Tensor> named() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        tensors.forEach((key, tensor) -> named.put(name + "." + key, tensor));
        return named;
    }

    /** Writes projectors into one file of safetensors, from which {@link #load} reads each by its name. */
    public static void write(Path file, MlpProjector... projectors) {
        Map<String, Tensor> all = new TreeMap<>();
        for (MlpProjector projector : projectors) {
            all.putAll(projector.named());
        }
        SafetensorsWriter.write(file, all, Map.of());
    }

    @Override
    public void close() {
        tensors.values().forEach(Scopes::release);
    }
}
