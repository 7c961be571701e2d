package dev.diva.checkpoint.format;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.pickle.StateDictWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Writes the tensors of a CLIP in any layout: the tables of reading, backwards. Types are kept tensor by tensor. */
public final class CheckpointWriter {
    /** transformers refuses a file that does not say which framework it is from. */
    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private CheckpointWriter() {}

    /** File that the libraries look for in a folder of that layout; OpenAI's is named by the user. */
    public static String fileName(CheckpointFormat format) {
        return switch (format) {
            case HF -> "model.safetensors";
            case OPEN_CLIP -> "open_clip_model.safetensors";
            case OPENAI, DIVA -> "model.pt";
        };
    }

    /**
     * Names of a model in that layout.
     *
     * @throws BadInputException when the layout cannot hold the model
     */
    public static NameTable table(TensorSource ours, CheckpointFormat format) {
        Optional<NameTable> timm =
                NameTable.TIMM_CLIP.stream().filter(table -> table.isOf(ours)).findFirst();
        boolean siglip = ours.info("vision_model.head.probe") != null;
        boolean isCoca = ours.info("text_model.embeddings.class_embedding") != null;
        boolean text = ours.info("text_model.embeddings.token_embedding.weight") != null;
        if (format == CheckpointFormat.DIVA) {
            throw new BadInputException("the layout diva is read only; choose hf, open_clip or openai");
        }
        if (timm.isPresent() && format != CheckpointFormat.OPEN_CLIP) {
            throw new BadInputException(ours.location() + ": has an image tower of timm, for which the layout "
                    + format.flag() + " has no names; choose open_clip");
        }
        if (isCoca && format != CheckpointFormat.OPEN_CLIP) {
            throw new BadInputException(ours.location() + ": is a CoCa, for which the layout " + format.flag()
                    + " has no names; choose open_clip");
        }
        TensorInfo patches = ours.info("vision_model.embeddings.patch_embedding.weight");
        if (patches != null && patches.shape().length == 2 && format != CheckpointFormat.HF) {
            throw new BadInputException(ours.location() + ": is a SigLIP 2 NaFlex, for which the layout "
                    + format.flag() + " has no place; choose hf");
        }
        if (format == CheckpointFormat.HF) {
            return NameTable.HF;
        }
        if (!text) {
            throw new BadInputException(
                    ours.location() + ": has no text tower, which " + format.flag() + " files always hold; choose hf");
        }
        if (siglip && format == CheckpointFormat.OPENAI) {
            throw new BadInputException(ours.location() + ": is a SigLIP, for which OpenAI's layout has no names;"
                    + " choose hf or open_clip");
        }
        NameTable plain = isCoca ? NameTable.CUSTOM_TEXT : NameTable.OPENAI;
        return timm.orElse(siglip ? NameTable.TIMM_SIGLIP : plain);
    }

    /**
     * Writes all tensors into one file, which appears complete or not at all.
     *
     * @param ours under our names
     */
    public static void write(Path file, TensorSource ours, CheckpointFormat format) {
        TensorSource foreign = TranslatedSource.fromOurs(ours, table(ours, format));
        if (format != CheckpointFormat.OPENAI) {
            Map<String, String> metadata = new LinkedHashMap<>(METADATA);
            metadata.putAll(ours.metadata());
            SafetensorsWriter.write(file, foreign.tensors(), info -> foreign.readOnce(info.name()), metadata);
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            for (TensorInfo info : foreign.tensors()) {
                tensors.put(info.name(), foreign.read(info.name()));
            }
            StateDictWriter.write(file, tensors);
        }
    }
}
