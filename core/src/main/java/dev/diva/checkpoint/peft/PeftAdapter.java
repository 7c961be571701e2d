package dev.diva.checkpoint.peft;

import dev.diva.BadInputException;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.ComposedSource;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.hub.Models;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A folder of peft, {@code adapter_config.json} and {@code adapter_model.*}: low-rank changes of a model's layers (LoRA, rsLoRA, DoRA), and
 * tensors that were trained beside them (biases, {@code modules_to_save}). Merged as peft's {@code merge_and_unload()} does, in fp32.
 */
public final class PeftAdapter {
    /** What tells such a folder. */
    public static final String CONFIG = "adapter_config.json";

    static final String PREFIX = "base_model.model.";
    private static final Pattern FACTOR = Pattern.compile(
            "(?<layer>.+)\\.lora_(?<part>A|B|embedding_A|embedding_B|magnitude_vector)(\\.default)?(\\.(?<kind>weight|bias))?");
    private static final Pattern WRAPPERS = Pattern.compile("\\.(base_layer|modules_to_save(\\.default)?)(?=\\.)");

    private final Path folder;
    private final PeftConfig config;

    /**
     * Reads the config.
     *
     * @throws BadInputException when it is of another kind of adapter, or says what is not followed
     */
    public PeftAdapter(Path folder) {
        this.folder = folder;
        this.config = new PeftConfig(folder);
    }

    /** The folder of an adapter that a path is, or whose weights it is. */
    public static Optional<Path> folderAt(Path path) {
        if (Files.isRegularFile(path.resolve(CONFIG))) {
            return Optional.of(path);
        }
        Path name = path.getFileName();
        if (name == null || !PeftConfig.files().contains(name.toString()) || !Files.isRegularFile(path)) {
            return Optional.empty();
        }
        Path beside = path.resolveSibling(CONFIG);
        if (!Files.isRegularFile(beside)) {
            throw new CheckpointException(path + ": is an adapter of peft, whose " + CONFIG + " is not beside it");
        }
        return Optional.of(beside.toAbsolutePath().getParent());
    }

    /** What it calls the model that it changes; an empty string where it names none. */
    public String baseName() {
        return config.baseName();
    }

    /** The class of transformers that was adapted; an empty string where it names none. */
    public String baseClass() {
        return config.baseClass();
    }

    /**
     * Where the model that it changes lies: a folder, also relative to its own, or a model in the hub's cache.
     *
     * @param hint how to name another
     * @throws BadInputException when there is none
     */
    public Path base(String hint) {
        return Models.near(folder, baseName(), config.revision())
                .orElseThrow(() -> new BadInputException(folder + ": is an adapter of peft over "
                        + (baseName().isEmpty()
                                ? "a model that it does not name"
                                : "the model \"" + baseName()
                                        + "\", which is no folder here and not in the hub's cache")
                        + "; " + hint));
    }

    /** The config and the weights. */
    public List<Path> files() {
        return List.of(folder.resolve(CONFIG), weights());
    }

    private Path weights() {
        return PeftConfig.files().stream()
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(() -> new BadInputException(
                        folder + ": has " + CONFIG + " but none of " + String.join(", ", PeftConfig.files())));
    }

    /**
     * Merges all that it holds into a model, which closes the file with itself.
     *
     * @param names gives the model's name of a tensor
     * @throws BadInputException when a tensor is no part of such an adapter, or does not fit the model: it was trained over another
     */
    public void mergeInto(ComposedSource model, UnaryOperator<String> names) {
        TensorSource file = TensorFile.open(weights());
        model.own(file);
        Map<String, Map<String, TensorInfo>> layers = new LinkedHashMap<>();
        for (TensorInfo info : file.tensors()) {
            if (!info.name().startsWith(PREFIX)) {
                throw new BadInputException(file.location() + ": " + info + " is no tensor of an adapter, whose names"
                        + " begin with " + PREFIX);
            }
            String name = info.name().substring(PREFIX.length());
            Matcher factor = FACTOR.matcher(name);
            if (factor.matches()) {
                String part = factor.group("part") + ("bias".equals(factor.group("kind")) ? ".bias" : "");
                if (layers.computeIfAbsent(factor.group("layer"), layer -> new LinkedHashMap<>())
                                .put(part, info)
                        != null) {
                    throw new BadInputException(
                            file.location() + ": two tensors are " + part + " of " + factor.group("layer"));
                }
            } else {
                replace(model, names, file, info, name);
            }
        }
        layers.forEach((layer, parts) -> new LayerChange(config, file, layer, parts).mergeInto(model, names));
    }

    /** A tensor that was trained itself. */
    private static void replace(
            ComposedSource model, UnaryOperator<String> names, TensorSource file, TensorInfo info, String name) {
        String target = names.apply(WRAPPERS.matcher(name).replaceAll(""));
        TensorInfo old = model.info(target);
        if (old == null || !Arrays.equals(old.shape(), info.shape())) {
            throw new BadInputException(file.location() + ": " + info + " has no place in " + model.location()
                    + ", which has " + (old == null ? "no " + target : old)
                    + ": the adapter belongs to another base, or is of a kind that is not read");
        }
        model.change(target, base -> read(file, info));
    }

    static Tensor read(TensorSource file, TensorInfo info) {
        return file.read(info.name()).to(ScalarType.Float);
    }
}
