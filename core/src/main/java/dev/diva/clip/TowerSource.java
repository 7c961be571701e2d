package dev.diva.clip;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.model.HuggingFaceKeys;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The image tower of a CLIP on disk, not read yet: of a checkpoint of its own, or inside the checkpoint of a larger model.
 *
 * @param tensors under transformers' names; those of the tower begin with {@code vision_model.}
 * @param config its shape
 * @param preprocessing how images become its pixels
 * @param checkpoint where it lies, or null inside a larger model
 * @param notes what was assumed because no file tells it: a line each, for people
 */
public record TowerSource(
        TensorSource tensors,
        VisionConfig config,
        Preprocessing preprocessing,
        ClipCheckpoint checkpoint,
        List<String> notes)
        implements AutoCloseable {
    /** What begins the names of its tensors. */
    public static final String PREFIX = "vision_model.";

    private static final Pattern BUFFERS = Pattern.compile(".*\\.position_ids");

    /**
     * Opens a CLIP of any layout.
     *
     * @throws BadInputException when it is none, or a relative of CLIP that transformers' CLIPModel is not
     */
    public static TowerSource open(Path path) {
        return open(path, null);
    }

    /**
     * The same.
     *
     * @param format the layout, or null to find it
     */
    public static TowerSource open(Path path, CheckpointFormat format) {
        ClipCheckpoint checkpoint = ClipCheckpoint.open(path, format);
        try {
            ClipFiles files = new ClipFiles(checkpoint);
            VisionConfig config = files.config().vision();
            if (!config.isPlainClip()) {
                throw new BadInputException(path
                        + ": is a SigLIP or another relative of CLIP; LLaVA-1.5 takes the tokens of a CLIP with a class"
                        + " token, as transformers' CLIPModel is one");
            }
            return new TowerSource(
                    checkpoint.tensors(), config, files.preprocessing(config), checkpoint, files.notes());
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /**
     * A tower inside a larger model.
     *
     * @param vision the tower's part of the model's config, as transformers writes it
     * @param preprocessor the {@code preprocessor_config.json}; CLIP's own preprocessing where there is none
     */
    public static TowerSource inside(TensorSource tensors, ConfigJson vision, Path preprocessor) {
        VisionConfig config = HuggingFaceConfig.clipVision(vision, vision.number("projection_dim", 512));
        List<String> notes = new ArrayList<>();
        vision.passedOver(HuggingFaceKeys.unknown(vision)).ifPresent(notes::add);
        if (!Files.exists(preprocessor)) {
            notes.add(preprocessor + ": not there: images are prepared as CLIP's usually are");
            return new TowerSource(tensors, config, Preprocessing.of(config, true), null, notes);
        }
        ConfigJson json = ConfigJson.read(preprocessor);
        Preprocessing preprocessing = ImageProcessorConfig.read(json, config);
        json.passedOver(ImageProcessorConfig.unknownKeys(json)).ifPresent(notes::add);
        return new TowerSource(tensors, config, preprocessing, null, notes);
    }

    /** A tower inside a larger model whose files do not describe it: shape and preprocessing are another's. */
    public TowerSource withTensors(TensorSource inner) {
        return new TowerSource(inner, config, preprocessing, null, notes);
    }

    /** A tower that nothing describes: shape from its tensors, heads of 64, QuickGELU, CLIP's preprocessing. */
    public static TowerSource undescribed(TensorSource tensors) {
        VisionConfig vision = OpenAiConfig.of(new TensorShapes(tensors)).vision();
        String note =
                tensors.location() + ": no config of its image tower here: " + OpenAiConfig.assumedOfTower(vision);
        return new TowerSource(tensors, vision, Preprocessing.of(vision, true), null, List.of(note));
    }

    /** The tensors of the tower alone, without buffers. */
    public List<TensorInfo> parts() {
        return tensors.tensors().stream()
                .filter(info -> info.name().startsWith(PREFIX))
                .filter(info -> !BUFFERS.matcher(info.name()).matches())
                .toList();
    }

    /** Where it lies, for messages. */
    public String location() {
        return tensors.location();
    }

    /** transformers' config of the tower alone. */
    public ObjectNode configJson() {
        return new ConfigFiles(new ClipConfig(config, null)).visionPart();
    }

    /** transformers' preprocessor_config.json. */
    public ObjectNode preprocessorJson() {
        return new ConfigFiles(new ClipConfig(config, null)).transformersPreprocessing(preprocessing);
    }

    /** Writes a folder that transformers and LLaVA load: the CLIP that it belongs to, or the tower alone where it is inside a larger model. */
    public void export(Path folder) {
        if (checkpoint != null) {
            ClipExport.export(checkpoint, CheckpointFormat.HF, folder, false);
            return;
        }
        AtomicFolder.write(folder, temporary -> {
            SafetensorsWriter.write(
                    temporary.resolve("model.safetensors"),
                    parts(),
                    info -> tensors.read(info.name()),
                    Map.of("format", "pt"));
            Files.writeString(temporary.resolve("config.json"), configJson().toPrettyString() + "\n");
            Files.writeString(
                    temporary.resolve("preprocessor_config.json"),
                    preprocessorJson().toPrettyString() + "\n");
        });
    }

    @Override
    public void close() {
        if (checkpoint != null) {
            checkpoint.close();
        }
    }
}
