package dev.diva.mllm;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.TrainedSource;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.peft.PeftAdapter;
import dev.diva.clip.HiddenTokens;
import dev.diva.clip.TowerSource;
import dev.diva.engine.Placement;
import dev.diva.language.Llama;
import dev.diva.language.LlamaTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** A LLaVA of which projector, adapters or language model learn, over the mapped weights of what it began with. The tower is frozen. */
public final class TrainableLlava implements AutoCloseable {
    /** Name of a new projector. */
    public static final String FRESH = "random";

    private static final String LAYERS = "model.layers.";

    private final Start start;
    private final LlavaFolder folder;
    private final LlavaConfig config;
    private final HiddenTokens tower;
    private final TowerSource towerSource;
    private final Weights weights;
    private final Llama language;
    private final Projector projector;
    private final LlamaTokenizer tokenizer;

    /**
     * What training begins with.
     *
     * @param llava folder of a LLaVA, or of a language model that is to become one
     * @param base model beneath an adapter or projector, or null for the one that its config names
     * @param tower path of a CLIP, {@code config} or {@code checkpoint} where a folder has both, or null for its own
     * @param format layout of a tower outside of the folder, or null to find it
     * @param projector file or folder of a projector, {@link #FRESH}, or null for its own
     * @param seed of a new projector
     */
    public record Start(Path llava, Path base, String tower, CheckpointFormat format, String projector, long seed) {}

    /**
     * What learns beside the projector.
     *
     * @param language whether all of the language model does
     * @param adapters low-rank changes of its layers, or null
     */
    public record Learning(boolean language, LowRank.Plan adapters) {
        /** Nothing. */
        public static final Learning PROJECTOR = new Learning(false, null);
    }

    private TrainableLlava(
            Start start,
            LlavaFolder folder,
            TowerSource towerSource,
            HiddenTokens tower,
            Placement placement,
            Learning learning) {
        this.start = start;
        this.folder = folder;
        this.tower = tower;
        this.towerSource = towerSource;
        this.config = folder.config().seeing(towerSource);
        Predicate<String> isTrained = name -> learning.language || isProjector(name);
        this.weights = Weights.trained(folder.withoutTower(), placement, isTrained);
        if (learning.adapters != null) {
            requireRank(learning.adapters.rank());
            weights.withAdapters(learning.adapters);
        }
        weights.ignore(LlavaNames.BUFFERS);
        this.language = new Llama(weights, config.language());
        this.projector =
                new Projector(weights, config.visionWidth(), config.language().hiddenSize());
        weights.finish();
        this.tokenizer = folder.tokenizer();
    }

    /**
     * Loads.
     *
     * @throws BadInputException when parts are missing, do not fit, or two towers differ and nobody says which
     */
    public static TrainableLlava load(Start start, Placement placement, Learning learning) {
        LlavaFolder folder = LlavaFolder.openForTraining(start.llava, start.base);
        HiddenTokens tower = null;
        try (PointerScope scope = new PointerScope()) {
            TowerSource source = tower(start, folder);
            int layers = folder.config().layersOf(source.config().transformer().numHiddenLayers());
            tower = HiddenTokens.read(source, layers, folder.config().withClassToken(), placement);
            takeProjector(start, folder, source);
            return new TrainableLlava(start, folder, source, tower, placement, learning);
        } catch (RuntimeException e) {
            if (tower != null) {
                tower.close();
            }
            folder.close();
            throw e;
        }
    }

    private void requireRank(long rank) {
        long width = config.language().hiddenSize();
        if (rank > width) {
            throw new BadInputException("recipe: trainable.rank is " + rank + ", expected at most " + width
                    + ", the width of the language model");
        }
    }

    private static TowerSource tower(Start start, LlavaFolder folder) {
        Towers towers = new Towers(folder, start.format);
        boolean hasProjector = folder.tensors().info(LlavaNames.PROJECTOR + "0.weight") != null;
        if (!hasProjector && start.projector == null) {
            throw new BadInputException(folder.folder()
                    + ": has no projector; name the one of stage 1 with --projector, or train that first");
        }
        if (start.tower == null
                && !folder.hasInnerTower()
                && folder.config().towerName().isEmpty()) {
            throw new BadInputException(folder.folder() + ": has no tower; name a CLIP with --tower MODEL");
        }
        return start.projector == null ? towers.open(start.tower) : towers.openForAnyProjector(start.tower);
    }

    private static void takeProjector(Start start, LlavaFolder folder, TowerSource tower) {
        if (FRESH.equals(start.projector)) {
            long width = tower.config().transformer().hiddenSize();
            TensorSource fresh =
                    FreshProjector.of(width, folder.config().language().hiddenSize(), start.seed);
            folder.tensors().add(fresh, name -> name);
        } else if (start.projector != null) {
            folder.takeProjector(Path.of(start.projector));
        }
    }

    /** Whether a layer is one of the language model's linear ones with these last names, for instance {@code q_proj}. */
    public static Predicate<String> layersNamed(java.util.Collection<String> names) {
        return layer -> layer.startsWith(LAYERS) && names.contains(layer.substring(layer.lastIndexOf('.') + 1));
    }

    /** Whether a parameter is the projector's. */
    public static boolean isProjector(String parameter) {
        return parameter.startsWith(LlavaNames.PROJECTOR);
    }

    /** What the names of the projector's parameters begin with. */
    public static String projectorPrefix() {
        return LlavaNames.PROJECTOR;
    }

    /** The tower, up to the layer that is taken; frozen. */
    public HiddenTokens tower() {
        return tower;
    }

    /** Refuses weights that hold NaN or infinity, by the name of the tensor. */
    public void refuseBroken() {
        BrokenWeights.refuse(weights);
    }

    /** Places of an image. */
    public int imageTokens() {
        return Math.toIntExact(towerSource.config().numPatches() + (config.withClassToken() ? 1 : 0));
    }

    public Llama language() {
        return language;
    }

    public Projector projector() {
        return projector;
    }

    /** What learns, by our names, in the order of the forward pass. */
    public Map<String, Tensor> parameters() {
        return weights.parameters();
    }

    /** Numbers of the language model that do not learn. */
    public long frozen() {
        return weights.tensors().values().stream()
                .filter(tensor -> !tensor.requires_grad())
                .mapToLong(Tensor::numel)
                .sum();
    }

    /** Every adapter by the name of its layer. */
    Map<String, LowRank> adapters() {
        return weights.adapters();
    }

    /** The ids of a text as the model is asked, an image in its place. */
    public Prompt tokenized(String text) {
        return config.layout() == LlavaConfig.Layout.HF
                ? Prompt.whole(text, tokenizer, config.imageTokenId())
                : Prompt.inParts(text, tokenizer);
    }

    /** Whether a text behind the end of an answer is tokenised as at the start of a text. */
    public boolean roundsRestart() {
        return tokenizer.restartsBehindSpecial();
    }

    /** The same with a projector for this tower. */
    LlavaConfig config() {
        return config;
    }

    LlavaFolder folder() {
        return folder;
    }

    TowerSource towerSource() {
        return towerSource;
    }

    Start start() {
        return start;
    }

    /** All of it but the tower, as it has become, under our names in fp32. */
    TensorSource trained() {
        return TrainedSource.of(folder.withoutTower(), weights);
    }

    /** Whether what it began with is a changed language model, which no folder holds as it is. */
    public boolean isOverAdapter() {
        return Files.exists(folder.folder().resolve(PeftAdapter.CONFIG));
    }

    /** Whose names and files the folder has. */
    public LlavaConfig.Layout layout() {
        return config.layout();
    }

    /** What it was read from, for manifests. */
    public List<Path> files() {
        List<Path> files = new ArrayList<>(ShardRewrite.files(folder.weights()));
        try (Stream<Path> own = Files.list(folder.folder())) {
            own.filter(Files::isRegularFile)
                    .filter(file -> !files.contains(file))
                    .sorted()
                    .forEach(files::add);
        } catch (java.io.IOException e) {
            throw new BadInputException(folder.folder() + ": cannot be listed: " + e.getMessage(), e);
        }
        if (start.projector != null && !start.projector.equals(FRESH)) {
            Path projectorFile = Path.of(start.projector);
            files.add(Files.isDirectory(projectorFile) ? projectorFile.resolve(LlavaFolder.PROJECTOR) : projectorFile);
        }
        if (towerSource.checkpoint() != null) {
            files.addAll(towerSource.checkpoint().files());
        }
        return files;
    }

    @Override
    public void close() {
        tokenizer.close();
        weights.close();
        tower.close();
        folder.close();
    }
}
