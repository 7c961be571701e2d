package dev.diva.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ComposedSource;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.peft.PeftAdapter;
import dev.diva.hub.Models;
import dev.diva.language.LlamaConfig;
import dev.diva.language.LlamaTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A LLaVA on disk under our names, not read yet: a whole model in either layout, or the projector or adapter that a training stage left, over the
 * model that it began with.
 *
 * @param folder of the config
 * @param base folder of the model beneath, or null for a whole model
 * @param weights the file or index of the weights of the whole model or of the base
 */
public record LlavaFolder(Path folder, Path base, Path weights, LlavaConfig config, ComposedSource tensors)
        implements AutoCloseable {
    private static final List<String> WEIGHTS = List.of(
            "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json");
    static final String PROJECTOR = "mm_projector.bin";
    static final String TRAINED_BESIDE_ADAPTER = "non_lora_trainables.bin";
    private static final String CONFIG = "config.json";
    /** Folder of a LLaVA in the run that trained it. */
    public static final String RESULT = "llava";

    /** The result of a stage where the folder of its run is given, otherwise the folder itself. */
    private static Path inRun(Path path) {
        Path result = path.resolve(RESULT);
        return !Files.exists(path.resolve(CONFIG)) && Files.exists(result.resolve(CONFIG)) ? result : path;
    }

    /** Whether a path is a folder whose config says so, or the run that has made one. */
    public static boolean isLlava(Path path) {
        Path file = inRun(path).resolve(CONFIG);
        return Files.isRegularFile(file) && LlavaConfig.isLlava(ConfigJson.read(file));
    }

    /**
     * Opens a folder.
     *
     * @param path the folder, or that of the run that has made it
     * @param base the model beneath a projector or adapter, or null for the one that its config names
     * @throws BadInputException when parts are missing, or do not belong together
     */
    public static LlavaFolder open(Path path, Path base) {
        Path folder = inRun(path);
        LlavaConfig config = LlavaConfig.read(ConfigJson.read(folder.resolve(CONFIG)));
        Optional<Path> own = weightsIn(folder);
        boolean isAdapter = Files.exists(folder.resolve(PeftAdapter.CONFIG));
        if (own.isPresent() && (base != null || isAdapter)) {
            throw new BadInputException(folder + ": is a whole model with "
                    + own.get().getFileName() + ", and "
                    + (isAdapter
                            ? PeftAdapter.CONFIG + " asks for another; move one of both away"
                            : "takes no --base"));
        }
        Path beneath = own.isPresent() ? null : baseOf(folder, base, config, isAdapter);
        Path weights = own.orElseGet(() ->
                weightsIn(beneath).orElseThrow(() -> new BadInputException(beneath + ": holds none of " + WEIGHTS)));
        ComposedSource tensors = new ComposedSource(weights.toString());
        try (PointerScope scope = new PointerScope()) {
            tensors.add(TensorFile.open(weights), LlavaNames::ours);
            addTrained(folder, isAdapter, own.isPresent(), tensors);
            return new LlavaFolder(folder, beneath, weights, config, tensors);
        } catch (RuntimeException e) {
            tensors.close();
            throw e;
        }
    }

    /**
     * Opens what training may begin with: a LLaVA, or a language model that is to become one.
     *
     * @param path as in {@link #open}
     * @param base as in {@link #open}
     * @throws BadInputException as {@link #open}
     */
    static LlavaFolder openForTraining(Path path, Path base) {
        Path folder = inRun(path);
        ConfigJson json = ConfigJson.read(folder.resolve(CONFIG));
        if (!json.text("model_type", "").equals("llama")) {
            return open(folder, base);
        }
        if (base != null) {
            throw new BadInputException(folder + ": is a language model, which stands over no other; leave --base out");
        }
        Path weights =
                weightsIn(folder).orElseThrow(() -> new BadInputException(folder + ": holds none of " + WEIGHTS));
        ComposedSource tensors = new ComposedSource(weights.toString());
        tensors.add(TensorFile.open(weights), LlavaNames::ours);
        return new LlavaFolder(folder, null, weights, LlavaConfig.ofLanguageModel(json), tensors);
    }

    /** Takes the projector of a file in place of its own. */
    void takeProjector(Path file) {
        Path place = Files.isDirectory(file) ? file.resolve(PROJECTOR) : file;
        ComposedSource all = new ComposedSource(place.toString());
        all.add(TensorFile.open(place), stored -> LlavaNames.ours(projectorName(stored)));
        TensorSource projector = all.only(name -> name.startsWith(LlavaNames.PROJECTOR));
        tensors.own(all);
        if (projector.tensors().isEmpty()) {
            throw new BadInputException(place + ": holds no projector (mm_projector.*)");
        }
        tensors.add(projector, name -> name);
    }

    private static Optional<Path> weightsIn(Path folder) {
        return WEIGHTS.stream()
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .findFirst();
    }

    private static Path baseOf(Path folder, Path base, LlavaConfig config, boolean isAdapter) {
        if (!isAdapter && !Files.exists(folder.resolve(PROJECTOR))) {
            throw new BadInputException(folder + ": holds none of " + WEIGHTS + ", and neither " + PROJECTOR + " nor "
                    + PeftAdapter.CONFIG);
        }
        String name =
                isAdapter ? new PeftAdapter(folder).baseName() : config.json().text("_name_or_path", "");
        Path found = base != null
                ? base
                : place(folder, name)
                        .orElseThrow(() -> new BadInputException(folder + ": stands over the model \"" + name
                                + "\", which is no folder here; name it with --base DIR of mllm ask, mllm train,"
                                + " eval mllm or inspect"));
        ConfigJson beneath = ConfigJson.read(found.resolve(CONFIG));
        LlamaConfig other = LlamaConfig.read(beneath.has("text_config") ? beneath.at("text_config") : beneath);
        JsonNode theirs = new ObjectMapper().valueToTree(other);
        for (Map.Entry<String, JsonNode> ours :
                new ObjectMapper().valueToTree(config.language()).properties()) {
            if (!ours.getValue().equals(theirs.path(ours.getKey()))) {
                throw new BadInputException(folder + ": was trained over another base: its " + ours.getKey() + " is "
                        + ours.getValue() + ", that of " + found + " is " + theirs.path(ours.getKey()));
            }
        }
        return found;
    }

    /** What a config names, see {@link Models#near}. */
    static Optional<Path> place(Path folder, String name) {
        return Models.near(folder, name, "");
    }

    private static void addTrained(Path folder, boolean isAdapter, boolean isWhole, ComposedSource tensors) {
        Path projector = folder.resolve(PROJECTOR);
        if (Files.exists(projector)) {
            if (isWhole) {
                requireSameProjector(projector, tensors);
            } else {
                tensors.add(TensorFile.open(projector), LlavaFolder::projectorName);
            }
        }
        Path beside = folder.resolve(TRAINED_BESIDE_ADAPTER);
        if (isAdapter && Files.exists(beside)) {
            tensors.add(TensorFile.open(beside), LlavaFolder::besideAdapter);
        }
        if (isAdapter) {
            new PeftAdapter(folder).mergeInto(tensors, LlavaNames::ours);
        }
    }

    private static String projectorName(String stored) {
        int at = stored.indexOf("mm_projector.");
        return at < 0 ? stored : LlavaNames.PROJECTOR + stored.substring(at + "mm_projector.".length());
    }

    private static String besideAdapter(String stored) {
        String name = stored.startsWith("base_model.") ? stored.substring("base_model.".length()) : stored;
        return LlavaNames.ours(
                name.startsWith("model.model.") || name.startsWith("model.lm_head.")
                        ? name.substring("model.".length())
                        : name);
    }

    /** A released folder holds its projector twice, and LLaVA reads the one among the weights. */
    private static void requireSameProjector(Path projector, ComposedSource tensors) {
        try (TensorSource file = TensorFile.open(projector)) {
            for (TensorInfo info : file.tensors()) {
                String name = projectorName(info.name());
                if (tensors.info(name) != null && !isSame(file, info.name(), tensors, name)) {
                    throw new BadInputException(projector + ": " + name + " differs from the one in "
                            + tensors.location() + "; move " + PROJECTOR + " away to use that one");
                }
            }
        }
    }

    /** Whether two tensors are equal, rounded to the narrower of their types. */
    static boolean isSame(TensorSource one, String name, TensorSource other, String otherName) {
        if (!Arrays.equals(one.info(name).shape(), other.info(otherName).shape())) {
            return false;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor a = one.readOnce(name);
            Tensor b = other.readOnce(otherName);
            return rounded(a, b).equal(b.to(ScalarType.Float)) || rounded(b, a).equal(a.to(ScalarType.Float));
        }
    }

    private static Tensor rounded(Tensor a, Tensor like) {
        return a.to(like.scalar_type()).to(ScalarType.Float);
    }

    /** Whether the checkpoint holds a tower. */
    public boolean hasInnerTower() {
        return tensors.tensors().stream().anyMatch(info -> info.name().startsWith(LlavaNames.TOWER));
    }

    /** The language model and the projector. */
    TensorSource withoutTower() {
        return tensors.only(name -> !name.startsWith(LlavaNames.TOWER));
    }

    /** The tower inside, under the names of a CLIP. */
    TensorSource innerTower() {
        return tensors.under(LlavaNames.TOWER);
    }

    /**
     * The tokenizer: slow in the layout of the authors, fast in the hub's.
     *
     * @throws BadInputException when it has more ids than the language model has rows
     */
    LlamaTokenizer tokenizer() {
        long rows = config().language().vocabSize();
        LlamaTokenizer.Kind kind =
                config().layout() == LlavaConfig.Layout.HF ? LlamaTokenizer.Kind.FAST : LlamaTokenizer.Kind.SLOW;
        LlamaTokenizer tokenizer = LlamaTokenizer.open(tokenizerFolder(), kind);
        if (tokenizer.size() > rows) {
            throw new BadInputException(tokenizerFolder() + ": the tokenizer has ids up to " + (tokenizer.size() - 1)
                    + ", the language model " + rows + " rows; put the model's own tokenizer files there");
        }
        return tokenizer;
    }

    /** Where its tokenizer lies. */
    Path tokenizerFolder() {
        boolean hasOwn =
                Files.exists(folder.resolve("tokenizer.json")) || Files.exists(folder.resolve("tokenizer.model"));
        return hasOwn || base == null ? folder : base;
    }

    @Override
    public void close() {
        tensors.close();
    }
}
