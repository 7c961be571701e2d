package dev.diva.diffusion.flux;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.engine.Placement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * A flux-like denoiser with its weights, frozen or learning: new, or from {@code denoiser.safetensors} with {@code denoiser.json}. Not
 * thread safe.
 */
public final class FluxModel implements AutoCloseable {
    /** The files of a stage. */
    private static final String TENSORS = "denoiser.safetensors";

    private static final String CONFIG = "denoiser.json";
    private static final String PREFIX = "denoiser.";

    private final Weights weights;
    private final FluxDenoiser denoiser;
    private final List<String> notes;

    private FluxModel(TensorSource source, FluxConfig config, Placement placement, boolean learns, List<String> notes) {
        this.notes = notes;
        this.weights = Weights.trained(source, placement, name -> learns);
        try (PointerScope scope = new PointerScope()) {
            this.denoiser = FluxDenoiser.of(weights, config);
            weights.finish();
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** A new one that learns, with values that follow from the seed. */
    public static FluxModel random(FluxConfig config, long seed, Placement placement) {
        return new FluxModel(InitialFlux.of(seed), config, placement, true, List.of());
    }

    /**
     * Reads one.
     *
     * @param path a folder with {@code denoiser.safetensors} and {@code denoiser.json}, or a file of tensors, whose shape its tensors tell
     *     where no {@code denoiser.json} lies beside it
     * @param learns whether every tensor becomes an fp32 master
     * @throws BadInputException when there is none, or its tensors do not fit its configuration
     */
    public static FluxModel load(Path path, Placement placement, boolean learns) {
        Path file = Files.isDirectory(path) ? path.resolve(TENSORS) : path;
        if (!Files.isRegularFile(file)) {
            throw new BadInputException(file + ": no such file; expected the denoiser that the first stage of GenHancer"
                    + " has trained, " + TENSORS + " with " + CONFIG);
        }
        Path json = file.toAbsolutePath().resolveSibling(CONFIG);
        TensorSource source = TensorFile.open(file);
        try {
            if (Files.exists(json)) {
                return new FluxModel(source, FluxConfig.read(ConfigJson.read(json)), placement, learns, List.of());
            }
            FluxConfig config = FluxConfig.of(source);
            return new FluxModel(source, config, placement, learns, List.of(file + ": " + config.assumption()));
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /** What was assumed because no file tells it: a line each, for people. */
    public List<String> notes() {
        return notes;
    }

    /** The denoiser. */
    public FluxDenoiser denoiser() {
        return denoiser;
    }

    /** The masters that learn, as {@code denoiser.NAME}. */
    public Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        weights.parameters().forEach((name, tensor) -> parameters.put(PREFIX + name, tensor));
        return parameters;
    }

    /** Writes both files into a folder; {@link #load} reads them. */
    public void write(Path folder) {
        AtomicFile.writeString(folder.resolve(CONFIG), json());
        SafetensorsWriter.write(folder.resolve(TENSORS), weights.tensors(), Map.of());
    }

    private String json() {
        try {
            return new ObjectMapper()
                    .writerWithDefaultPrettyPrinter()
                    .writeValueAsString(denoiser.config().toJson());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
