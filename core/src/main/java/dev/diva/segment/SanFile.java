package dev.diva.segment;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.NameTable;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.format.TranslatedSource;
import dev.diva.clip.Clip;
import dev.diva.clip.VisionConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Checkpoints of SAN: what it trains, by its names, alone or with all of the CLIP, alone or under {@code model} beside the optimizer's
 * state, safetensors or torch. The CLIP in a file is compared with the one that is given and never used.
 */
final class SanFile {
    static final String SIDE = "side_adapter_network";
    static final String POSITIONS = "clip_visual_extractor.positional_embedding";
    static final String BACKGROUND = "ov_classifier.bg_embed";

    /** Where a run leaves its SAN, and the tensors in that folder. */
    static final String FOLDER = "san";

    private static final String TENSORS = "model.safetensors";

    private static final String ANCHOR = SIDE + ".query_embed";
    private static final Pattern LAYER =
            Pattern.compile("clip_(visual_extractor|rec_head)\\.resblocks\\.(\\d+)\\.(.+)");
    private static final Pattern TRUNK = Pattern.compile("clip_(?:visual_extractor|rec_head)\\.(.+)");
    private static final Pattern TEXT = Pattern.compile("ov_classifier\\.((?:transformer|token_embedding|ln_final)\\..+"
            + "|positional_embedding|text_projection|logit_scale)");

    /** Of a SAN that was trained here: the path of its CLIP, and the digest of that CLIP's image tower. */
    private static final String CLIP = "clip";

    private static final String TOWER = "clip_image_tower";

    private SanFile() {}

    /** The checkpoint that a path names: itself, or that of a finished run in it. */
    static Path in(Path path) {
        if (!Files.isDirectory(path)) {
            return path;
        }
        Path own = path.resolve(TENSORS);
        Path ofRun = path.resolve(FOLDER).resolve(TENSORS);
        if (!Files.exists(own) && !Files.exists(ofRun) && Files.exists(path.resolve("recipe.yaml"))) {
            throw new BadInputException(
                    path + ": the run is not finished; go on with 'diva segment train --resume --out " + path + "'");
        }
        return Files.exists(own) ? own : ofRun;
    }

    /** Writes a folder that {@link #open} reads, with its settings. */
    static void write(Path folder, Map<String, Tensor> tensors, SanSettings settings, Clip clip) {
        AtomicFolder.write(folder, made -> {
            SafetensorsWriter.write(
                    made.resolve(TENSORS),
                    tensors,
                    new TreeMap<>(Map.of( // whose order is that of every run
                            CLIP,
                            clip.file().toAbsolutePath().normalize().toString(),
                            TOWER,
                            clip.imageTower(),
                            "format",
                            "pt")));
            Files.writeString(settingsBeside(made.resolve(TENSORS)), settings.toYaml());
        });
    }

    /**
     * Opens a file, or what a run left; only what is the model's is there.
     *
     * @throws CheckpointException when there is no SAN in it
     */
    static TensorSource open(Path path) {
        Path file = in(path);
        TensorSource stored = TensorFile.open(file);
        for (TensorInfo info : stored.tensors()) {
            if (info.name().equals(ANCHOR) || info.name().endsWith("." + ANCHOR)) {
                return under(stored, info.name().substring(0, info.name().length() - ANCHOR.length()));
            }
        }
        stored.close();
        throw new CheckpointException(file + ": no SAN in it: no tensor is named " + ANCHOR);
    }

    private static TensorSource under(TensorSource stored, String prefix) {
        SourceView view = new SourceView(stored);
        for (TensorInfo info : stored.tensors()) {
            if (info.name().startsWith(prefix)) {
                TensorInfo inner = info.named(info.name().substring(prefix.length()));
                view.put(inner, reader -> reader.read(info.name()));
            }
        }
        return view;
    }

    /** {@code san.yaml} beside a checkpoint. */
    static Path settingsBeside(Path file) {
        return file.toAbsolutePath().resolveSibling("san.yaml");
    }

    /** The settings of a checkpoint: those of a file that was named, else of {@code san.yaml} beside it, else of the CLIP's preset. */
    static SanSettings settings(Path path, Path named, VisionConfig clip) {
        Path file = in(path);
        if (named != null || Files.exists(settingsBeside(file))) {
            return SanSettings.read(named == null ? settingsBeside(file) : named);
        }
        return SanPreset.of(clip)
                .orElseThrow(() -> new BadInputException(file + ": there is no preset for a CLIP of " + describe(clip)
                        + "; write its settings into san.yaml beside it (or another file, for --san-config of diva segment and"
                        + " eval segmentation): clipResolution, sideHeads,"
                        + " fusion, recognitionLayer"))
                .settings();
    }

    /**
     * Refuses what was trained here on another CLIP.
     *
     * @throws BadInputException with both names
     */
    static void requireSameTower(TensorSource san, Clip clip) {
        String trainedOn = san.metadata().get(TOWER);
        if (trainedOn != null && !trainedOn.equals(clip.imageTower())) {
            throw new BadInputException(
                    san.location() + ": was trained on another CLIP ("
                            + san.metadata().getOrDefault(CLIP, "unnamed") + ") than " + clip.file()
                            + ": their image towers differ; a SAN has to be trained again for another CLIP, or give --clip its own");
        }
    }

    /**
     * Refuses a checkpoint that holds another CLIP. Values are compared in the coarser of the two types.
     *
     * @throws BadInputException with both names and the first tensor that differs
     */
    static void requireSameClip(TensorSource san, Clip clip, int recognitionLayer) {
        TensorSource stored = clip(san, recognitionLayer);
        TensorSource given = clip.stored();
        for (TensorInfo info : stored.tensors()) {
            TensorInfo other = given.info(info.name());
            boolean isSame =
                    other != null && Arrays.equals(other.shape(), info.shape()) && isSame(stored, info, given, other);
            if (!isSame) {
                throw new BadInputException(san.location() + ": was trained on another CLIP (" + describe(stored)
                        + ") than " + clip.file() + " ("
                        + describe(clip.config().vision()) + "): they differ in "
                        + info.name() + "; a SAN has to be trained again for another CLIP, or give --clip its own");
            }
        }
    }

    private static boolean isSame(TensorSource a, TensorInfo ofA, TensorSource b, TensorInfo ofB) {
        var type =
                (ofA.dtype().bytes() < ofB.dtype().bytes() ? ofA : ofB).dtype().scalarType();
        try (PointerScope scope = new PointerScope()) {
            Tensor left = a.readOnce(ofA.name()).to(type);
            return left.equal(b.readOnce(ofB.name()).to(type));
        }
    }

    /** The CLIP in a checkpoint, under our names, without the table of its patches' positions, which SAN trains; may be empty. */
    private static TensorSource clip(TensorSource san, int recognitionLayer) {
        SourceView view = new SourceView(san);
        for (TensorInfo info : san.tensors()) {
            Matcher layer = LAYER.matcher(info.name());
            Matcher trunk = TRUNK.matcher(info.name());
            Matcher text = TEXT.matcher(info.name());
            if (layer.matches()) {
                int number =
                        Integer.parseInt(layer.group(2)) + (layer.group(1).equals("rec_head") ? recognitionLayer : 0);
                put(view, info, "visual.transformer.resblocks." + number + "." + layer.group(3));
            } else if (trunk.matches() && !info.name().equals(POSITIONS)) {
                put(view, info, "visual." + trunk.group(1));
            } else if (text.matches()) {
                put(view, info, text.group(1));
            }
        }
        return TranslatedSource.toOurs(view, NameTable.OPENAI);
    }

    private static void put(SourceView view, TensorInfo info, String name) {
        view.put(info.named(name), reader -> reader.read(info.name()));
    }

    private static String describe(TensorSource clip) {
        TensorInfo patches = clip.info("vision_model.embeddings.patch_embedding.weight");
        long layers = clip.tensors().stream()
                .filter(info ->
                        info.name().startsWith("vision_model.") && info.name().endsWith(".layer_norm1.weight"))
                .count();
        return patches == null
                ? layers + " layers"
                : "a ViT of width " + patches.shape()[0] + ", patches of " + patches.shape()[2] + ", " + layers
                        + " layers";
    }

    private static String describe(VisionConfig vision) {
        return "a ViT of width " + vision.transformer().hiddenSize() + ", patches of " + vision.patchSize() + ", "
                + vision.transformer().numHiddenLayers() + " layers";
    }
}
