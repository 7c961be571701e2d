package dev.diva.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.Placeholder;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.format.Unwrapped;
import dev.diva.diffusion.flux.FluxTransformerConfig;
import dev.diva.diffusion.sana.SanaConfig;
import dev.diva.diffusion.sd3.Sd3Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A diffusers folder: finds the files of each part, and remembers which were read. */
final class ModelFolder {
    private static final List<String> TOKENIZER_FILES = List.of(
            "vocab.json",
            "merges.txt",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json");

    /** The classes of diffusers that a part may have. */
    private static final Map<String, Set<String>> CLASSES = Map.of(
            "unet", Set.of("UNet2DConditionModel"),
            "transformer",
                    Set.of(
                            "DiTTransformer2DModel",
                            "Transformer2DModel",
                            FluxTransformerConfig.CLASS,
                            SanaConfig.CLASS,
                            Sd3Config.CLASS),
            "vae", AutoencoderShape.CLASSES);

    private final Path folder;
    private final Set<Path> files = new LinkedHashSet<>();
    private final List<String> notes = new ArrayList<>();

    ModelFolder(Path folder) {
        this.folder = folder;
        if (Files.isRegularFile(folder)) {
            Placeholder.refuse(folder);
            throw new BadInputException(
                    folder + ": is a single file; a diffusion model is read as the folder that diffusers saves:"
                            + " convert it with the pipeline of its kind, for instance"
                            + " StableDiffusionPipeline.from_single_file(FILE).save_pretrained(FOLDER)");
        }
        if (!Files.isDirectory(folder)) {
            throw new BadInputException(folder + ": no such folder; expected a diffusion model as diffusers saves it");
        }
        Path index = folder.resolve("model_index.json");
        if (Files.exists(index)) {
            files.add(index);
        }
    }

    /**
     * Refuses what cannot be a teacher before anything else of it is looked at.
     *
     * @return itself
     */
    ModelFolder requireKnown() {
        CLASSES.forEach(this::requireClass);
        boolean hasParts = has("unet") || has("transformer") || has("vae");
        if (!hasParts && !gguf("").isEmpty()) {
            throw new BadInputException(folder + ": no diffusion model as diffusers saves it" + gguf(""));
        }
        return this;
    }

    /** The same of the autoencoder in a part alone. */
    ModelFolder requireKnownAutoencoder(String part) {
        requireClass(part, CLASSES.get("vae"));
        return this;
    }

    /** Names what is not computed here before anything else of it is looked at, and what is stored quantised. */
    private void requireClass(String part, Set<String> classes) {
        Path file = folder.resolve(part).resolve("config.json");
        if (!Files.isRegularFile(file)) {
            return;
        }
        ConfigJson json = ConfigJson.read(file);
        String type = json.text("_class_name", "");
        if (!type.isEmpty() && !classes.contains(type)) {
            String whole = pipeline().isEmpty() ? "" : " (of a " + pipeline() + ")";
            throw new BadInputException(file + ": _class_name is \"" + type + "\"" + whole + ", expected "
                    + String.join(" or ", new TreeSet<>(classes)) + ": others are not computed here");
        }
        if (type.equals(SanaConfig.CLASS)) {
            SanaConfig.refuseSprint(json);
        }
        if (json.has("quantization_config")) {
            String method = json.at("quantization_config").text("quant_method", "no quant_method named");
            throw new BadInputException(file + ": has a quantization_config (" + method
                    + "), and quantised weights are not read; take the release in fp16, bf16 or fp32");
        }
    }

    Path folder() {
        return folder;
    }

    /** Every file that was read, in the order of reading. */
    List<Path> files() {
        return List.copyOf(files);
    }

    /** Those of one part. */
    List<Path> files(String part) {
        return files.stream()
                .filter(file -> file.startsWith(folder.resolve(part)))
                .toList();
    }

    /** The shape of the autoencoder in a part. */
    AutoencoderShape autoencoder(String part, String why) {
        ConfigJson json = config(part, "config.json", why);
        AutoencoderShape shape = AutoencoderShape.read(json);
        understand(json, AutoencoderShape.known(json));
        return shape;
    }

    /** The noise in a part. */
    NoiseSchedule schedule(String part, String why) {
        ConfigJson json = config(part, "scheduler_config.json", why);
        NoiseConfig noise = NoiseConfig.read(json);
        understand(json, NoiseConfig::knows);
        return new NoiseSchedule(noise);
    }

    /** The noise levels of a rectified flow in a part. */
    FlowSchedule flow(String part, String why) {
        ConfigJson json = config(part, "scheduler_config.json", why);
        FlowSchedule schedule = FlowSchedule.read(json);
        understand(json, FlowSchedule::knows);
        return schedule;
    }

    /**
     * Remembers which settings of a part are not looked at. Those that begin with an underscore are names and versions.
     *
     * @param known the settings that are followed, or change no number
     */
    void understand(ConfigJson json, Predicate<String> known) {
        note(json, json.keysOtherThan(key -> key.startsWith("_") || known.test(key)));
    }

    /** The same. */
    void note(ConfigJson json, List<String> passedOver) {
        json.passedOver(passedOver).ifPresent(notes::add);
    }

    /** What was passed over because nothing is known of it: a line each, for people. */
    List<String> notes() {
        return List.copyOf(notes);
    }

    boolean has(String part) {
        return Files.isDirectory(folder.resolve(part));
    }

    /** The class that the configuration of a part names, or nothing. */
    String className(String part) {
        Path file = folder.resolve(part).resolve("config.json");
        return Files.exists(file) ? ConfigJson.read(file).text("_class_name", "") : "";
    }

    /** The class that model_index.json names for the whole, or nothing. */
    String pipeline() {
        Path index = folder.resolve("model_index.json");
        return Files.exists(index) ? ConfigJson.read(index).text("_class_name", "") : "";
    }

    /** @param why what a model without that part is not, for the message */
    ConfigJson config(String part, String file, String why) {
        Path path = folder.resolve(part).resolve(file);
        if (!Files.exists(path)) {
            String pipeline = pipeline().isEmpty() ? "" : " (model_index.json says " + pipeline() + ")";
            throw new BadInputException(folder + ": no " + part + "/" + file + pipeline + ": " + why);
        }
        files.add(path);
        return ConfigJson.read(path);
    }

    /**
     * The file with the tensors of a part: safetensors before torch's, full precision before fp16 and bf16, one file before shards.
     *
     * @param names what the libraries call it, without variant and ending
     */
    Path weightsFile(String part, String... names) {
        List<String> candidates = new ArrayList<>();
        for (String variant : List.of("", ".fp16", ".bf16")) {
            for (String ending : List.of("safetensors", "bin")) {
                for (String name : names) {
                    candidates.add(name + variant + "." + ending);
                    candidates.add(name + "." + ending + ".index" + variant + ".json");
                }
            }
        }
        for (String candidate : candidates) {
            Path path = folder.resolve(part).resolve(candidate);
            if (Files.exists(path)) {
                remember(path);
                return path;
            }
        }
        throw new BadInputException(folder + ": no weights in " + part + "/: expected " + names[0]
                + ".safetensors or .bin, or their fp16 variant or index of shards" + gguf(part));
    }

    /** What to say of a part that has other files of weights alone. */
    private String gguf(String part) {
        try (Stream<Path> inside = Files.list(folder.resolve(part))) {
            return inside.filter(file -> file.toString().endsWith(".gguf"))
                    .findFirst()
                    .map(file -> "; " + file.getFileName() + " is quantised by ggml, and not read")
                    .orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    /** @param anchor a name among the part's tensors, by which a wrapper before all names is found */
    TensorSource weights(String part, String anchor, String... names) {
        return Unwrapped.of(TensorFile.open(weightsFile(part, names)), anchor);
    }

    Path tokenizer(String part) {
        Path tokenizer = folder.resolve(part);
        TOKENIZER_FILES.stream().map(tokenizer::resolve).filter(Files::exists).forEach(files::add);
        return tokenizer;
    }

    private void remember(Path path) {
        files.add(path);
        if (!path.toString().endsWith(".json")) {
            return;
        }
        try {
            JsonNode shards =
                    new ObjectMapper().readTree(Files.readAllBytes(path)).path("weight_map");
            shards.forEach(shard -> files.add(path.resolveSibling(shard.asText())));
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
