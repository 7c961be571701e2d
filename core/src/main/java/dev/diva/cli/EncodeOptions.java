package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.clip.Clip;
import dev.diva.clip.Clip.Scale;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What is encoded, how and where to, in one process or on a cluster. */
public final class EncodeOptions {
    private static final List<String> FORMATS = List.of(".safetensors", ".json", ".npy", ".parquet");

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--clip",
            converter = ModelPath.class,
            required = true,
            paramLabel = "MODEL",
            description = "Folder or file of a CLIP or SigLIP.")
    private Path model;

    @Option(
            names = "--visual",
            paramLabel = "FILE",
            description =
                    "Weights of an image tower alone (un2CLIP's .ckpt), in place of the model's own; or a folder of"
                            + " peft over it.")
    private Path visual;

    @Option(
            names = "--images",
            arity = "1..*",
            paramLabel = "PATH",
            description = "Folders, globs, tars or files; tars and files by http(s):// and s3:// too.")
    private List<String> images = new ArrayList<>();

    @Mixin
    private DataCacheOption dataCache;

    @Option(names = "--out", required = true, description = "File to write: .safetensors, .json, .npy or .parquet.")
    private Path out;

    @Option(names = "--tokens", description = "All tokens of each image too, normed and projected.")
    private boolean tokens;

    @Option(names = "--raw", description = "Embeddings as the towers give them, not divided by their L2 norm.")
    private boolean raw;

    @Option(
            names = "--precision",
            converter = PrecisionName.class,
            description = PrecisionName.NAMES + "Default: bf16 where the machine multiplies it fast.")
    private Precision precision;

    @Mixin
    private DeviceOption device;

    @Option(names = "--batch", defaultValue = "16", description = "Images at once. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--format", description = "Layout: hf, open_clip, openai or diva. Default: found in the content.")
    private String format;

    /** The CLIP. */
    public Path model() {
        return model;
    }

    /** Weights of an image tower alone in place of the CLIP's own, or null. */
    public Path visual() {
        return visual;
    }

    /** Folders, globs, tars or files; empty when none is given. */
    public List<String> images() {
        dataCache.use();
        return List.copyOf(images);
    }

    /** File to write. */
    public Path out() {
        if (FORMATS.stream().noneMatch(out.toString()::endsWith)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--out is " + out + ", expected a name that ends with .safetensors, .json, .npy or .parquet");
        }
        return out;
    }

    /**
     * Makes sure that the file to write holds what is asked for, before anything is done.
     *
     * @param hasNoTexts whether images alone are encoded
     */
    public void requireOneMatrix(boolean hasNoTexts) {
        if (out().toString().matches(".*\\.(npy|parquet)") && (tokens || images.isEmpty() == hasNoTexts)) {
            throw new ParameterException(
                    spec.commandLine(), "--out " + out + " holds one matrix: --images or --text, no --tokens");
        }
    }

    /** Whether all tokens of each image are written. */
    public boolean tokens() {
        return tokens;
    }

    /** Length of the embeddings. */
    public Scale scale() {
        return raw ? Scale.RAW : Scale.UNIT;
    }

    /** Images at once, at least 1. */
    public int batch() {
        if (batch < 1) {
            throw new ParameterException(spec.commandLine(), "--batch is at least 1");
        }
        return batch;
    }

    /** The one that was asked for, or the fastest of this machine. */
    public Precision precision() {
        return precision == null ? device.fastest() : precision;
    }

    /** {@link #precision} as the option names it. */
    public String precisionName() {
        return precision().name().toLowerCase(Locale.ROOT);
    }

    /**
     * Where it computes.
     *
     * @throws dev.diva.BadInputException when there is no such device
     */
    public Placement placement() {
        return device.placement(precision());
    }

    /** How the model is loaded with so many threads; 0 for all cores. */
    public Clip.Options loading(int threads) {
        return new Clip.Options(precision(), threads, batch(), null)
                .withFormat(format)
                .withDevice(device.name());
    }

    /**
     * Writes down what the embeddings are of.
     *
     * @param notRead files that were passed over, by suffix
     */
    public void describe(EmbeddingsFile file, Map<String, Integer> notRead) throws JsonProcessingException {
        String name = visual == null ? model.toString() : model + " with " + visual;
        file.describe("model", name)
                .describe("normalized", String.valueOf(!raw))
                .describe("precision", precisionName());
        if (!notRead.isEmpty()) {
            file.describe("not_read", new ObjectMapper().writeValueAsString(notRead));
        }
    }
}
