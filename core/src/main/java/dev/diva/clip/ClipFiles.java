package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;

/** What lies beside the tensors of a checkpoint: config, preprocessing, tokenizer. */
final class ClipFiles {
    private final ClipCheckpoint checkpoint;

    ClipFiles(ClipCheckpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    ClipConfig config() {
        TensorShapes shapes = new TensorShapes(checkpoint.tensors());
        Path file = checkpoint.folder().resolve("config.json");
        Path openClip = checkpoint.folder().resolve("open_clip_config.json");
        ClipConfig config = switch (checkpoint.format()) {
            case HF -> HuggingFaceConfig.of(ConfigJson.read(required(file)));
            case OPEN_CLIP, DIVA ->
                Files.exists(openClip) ? OpenClipConfig.of(ConfigJson.read(openClip), shapes) : OpenAiConfig.of(shapes);
            case OPENAI -> OpenAiConfig.of(shapes);
        };
        boolean isComplete = shapes.hasText() || checkpoint.format() == CheckpointFormat.HF; // whose config tells
        return isComplete ? config : config.withoutText();
    }

    Preprocessing preprocessing(VisionConfig vision) {
        Path file = checkpoint.folder().resolve("preprocessor_config.json");
        Path openClip = checkpoint.folder().resolve("open_clip_config.json");
        if (checkpoint.format() == CheckpointFormat.HF) {
            return Files.exists(file)
                    ? Preprocessing.ofTransformers(ConfigJson.read(file), vision)
                    : Preprocessing.of(vision, true);
        }
        if (checkpoint.format() != CheckpointFormat.OPENAI && Files.exists(openClip)) {
            return Preprocessing.ofOpenClip(ConfigJson.read(openClip).at("preprocess_cfg"), vision);
        }
        return Preprocessing.of(vision, false);
    }

    /**
     * The tokenizer of the checkpoint.
     *
     * @throws BadInputException when its files are missing, or its ids do not fit the text tower
     */
    Tokenizer tokenizer(TextConfig text) {
        Tokenizer tokenizer = open(text);
        long rows = text.transformer().vocabSize();
        if (tokenizer.vocabSize() > rows || tokenizer.contextLength() > text.contextLength()) {
            String found = tokenizer.vocabSize() + " ids, " + tokenizer.contextLength() + " per text";
            tokenizer.close();
            throw new BadInputException(checkpoint.folder() + ": the tokenizer has " + found + ", the text tower "
                    + rows + " ids, " + text.contextLength() + " per text; put the model's own tokenizer files there");
        }
        return tokenizer;
    }

    private Tokenizer open(TextConfig text) {
        if (text.pooling() == TextConfig.Pooling.LAST) {
            return SiglipTokenizer.open(checkpoint.folder(), text);
        }
        return switch (checkpoint.format()) {
            case HF -> ClipTokenizer.open(checkpoint.folder(), ClipTokenizer.Flavour.TRANSFORMERS);
            case OPEN_CLIP -> ClipTokenizer.published(ClipTokenizer.Flavour.OPEN_CLIP, text.contextLength());
            case OPENAI, DIVA -> ClipTokenizer.published(ClipTokenizer.Flavour.OPENAI, text.contextLength());
        };
    }

    private static Path required(Path file) {
        if (!Files.exists(file)) {
            throw new BadInputException(file + ": missing; transformers' layout needs it for heads and activation");
        }
        return file;
    }
}
