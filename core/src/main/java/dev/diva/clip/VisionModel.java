package dev.diva.clip;

import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.TrainedSource;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.checkpoint.peft.PeftWriter;
import dev.diva.engine.Placement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** The image tower of a checkpoint, of which some part may learn; the text tower stays on disk. Not thread safe. */
public final class VisionModel implements AutoCloseable {
    /** What only texts need, and buffers that the libraries save among the weights. */
    private static final Pattern NOT_OURS =
            Pattern.compile("logit_scale|logit_bias|caption_decoder\\..*|.*\\.(position_ids|num_batches_tracked)");

    private final ClipCheckpoint checkpoint;
    private final Weights weights;
    private final Preprocessing preprocessing;
    private final VisionTower tower;

    private VisionModel(ClipCheckpoint checkpoint, Placement placement, TrainedPart trained) {
        this.checkpoint = checkpoint;
        ClipFiles files = new ClipFiles(checkpoint);
        ClipConfig both = files.config();
        VisionConfig config = both.vision();
        this.preprocessing = files.preprocessing(config);
        this.weights = Weights.trained(
                        checkpoint.tensors(), placement, trained.masters().apply(config))
                .withAdapters(trained.adapters());
        weights.ignore(NOT_OURS);
        this.tower = new VisionTower(weights, config);
        if (both.hasText()) {
            new TextTower(weights.unread(), both.text());
        }
        weights.finish();
    }

    /**
     * Loads the image tower of a folder or file of any layout.
     *
     * @throws dev.diva.BadInputException when it is no CLIP, or its config disagrees with its tensors
     */
    public static VisionModel load(Path path, Placement placement, TrainedPart trained) {
        return load(path, null, placement, trained);
    }

    /**
     * The same of a layout that the user named.
     *
     * @param format hf, open_clip, openai or diva, or null to find it
     */
    public static VisionModel load(Path path, String format, Placement placement, TrainedPart trained) {
        ClipCheckpoint checkpoint = ClipCheckpoint.open(path, format == null ? null : CheckpointFormat.of(format));
        try (PointerScope scope = new PointerScope()) {
            return new VisionModel(checkpoint, placement, trained);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /** What was assumed because no file tells it, and what was passed over because nothing is known of it: a line each, for people. */
    public List<String> notes() {
        List<String> notes = new ArrayList<>(new ClipFiles(checkpoint).notes());
        backbone()
                .filter(Backbone::analogy)
                .ifPresent(row ->
                        notes.add(checkpoint.file() + ": is a " + row.id() + ", which the paper does not have: what a"
                                + " recipe leaves open of the recap is that of the nearest tower of the paper"));
        return notes;
    }

    /** The first tensor of the checkpoint, text tower included, that holds NaN or infinity, in a line; nothing for sound weights. */
    public Optional<String> broken() {
        return BrokenWeights.find(checkpoint.file().toString(), checkpoint.tensors());
    }

    /** The tower itself. */
    public VisionTower tower() {
        return tower;
    }

    /** The masters that learn, by name. */
    public Map<String, Tensor> parameters() {
        return weights.parameters();
    }

    /** All tensors of the tower by name. */
    public Map<String, Tensor> tensors() {
        return weights.tensors();
    }

    /** How images become the tower's pixels. */
    public Preprocessing preprocessing() {
        return preprocessing;
    }

    /** The published tower that this one has the shape of. */
    public Optional<Backbone> backbone() {
        return Backbones.of(tower.config(), preprocessing, checkpoint.file().toString());
    }

    /** Layout of the checkpoint. */
    public CheckpointFormat format() {
        return checkpoint.format();
    }

    /** See {@link ClipCheckpoint#files}. */
    public List<Path> files() {
        return checkpoint.files();
    }

    /** How far the tower is from the stored one, see {@link TowerChange}. */
    public Map<String, Double> relativeChange() {
        return TowerChange.between(checkpoint.tensors(), TrainedSource.of(checkpoint.tensors(), weights));
    }

    /**
     * Writes the checkpoint as it is now, text tower included, in the layout that it came in, adapters merged. Real numbers are fp32:
     * half precision would round small updates away.
     *
     * @param overwrite whether an existing folder is replaced
     */
    public void export(Path folder, boolean overwrite) {
        export(folder, overwrite, 1);
    }

    /**
     * The same of the average of the checkpoint as it was and as it is now, as {@link ClipBlend} makes it.
     *
     * @param alpha share of what was trained: 1 is that alone
     */
    public void export(Path folder, boolean overwrite, double alpha) {
        CheckpointFormat layout =
                checkpoint.format() == CheckpointFormat.DIVA ? CheckpointFormat.OPEN_CLIP : checkpoint.format();
        ClipExport.export(
                checkpoint, TrainedSource.of(checkpoint.tensors(), weights, alpha), layout, folder, overwrite);
    }

    /** Whether low-rank adapters learn, and over a model that can be named: not over a model that an adapter was merged into. */
    public boolean hasAdapter() {
        return !weights.adapters().isEmpty() && checkpoint.adapter() == null;
    }

    /**
     * Writes the adapters as peft does, over the checkpoint as it is stored.
     *
     * @param share of the trained change: 1 is all of it
     */
    public void exportAdapter(Path folder, double share) {
        TensorSource trained = TrainedSource.of(checkpoint.tensors(), weights, share);
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> biases = new LinkedHashMap<>();
            for (String layer : weights.adapters().keySet()) {
                String bias = layer + ".bias";
                if (weights.parameters().containsKey(bias)) {
                    biases.put(bias, trained.read(bias));
                }
            }
            PeftWriter.write(folder, peftBase(), weights.adapters(), share, biases);
        }
    }

    private PeftWriter.Base peftBase() {
        boolean isFolder =
                checkpoint.format() == CheckpointFormat.HF || checkpoint.format() == CheckpointFormat.OPEN_CLIP;
        boolean isMetaClip2 = new ClipFiles(checkpoint).hasForeignTokenizer();
        Path place = isFolder ? checkpoint.folder() : checkpoint.file();
        String clip = isMetaClip2 ? "MetaClip2" : "CLIP";
        String siglip = tower.config().form().flexible() ? "Siglip2" : "Siglip";
        String family = checkpoint.isSiglip() ? siglip : clip;
        String part =
                checkpoint.hasText() ? "Model" : checkpoint.isSiglip() ? "VisionModel" : "VisionModelWithProjection";
        String name = isMetaClip2 ? "metaclip_2" : family.toLowerCase(Locale.ROOT);
        return new PeftWriter.Base(place, family + part, "transformers.models." + name + ".modeling_" + name);
    }

    @Override
    public void close() {
        weights.close();
        checkpoint.close();
    }
}
