package dev.diva.clip;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.FileTokenizer;
import dev.diva.model.HuggingFaceKeys;
import dev.diva.model.TextCleaning;
import dev.diva.model.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What lies beside the tensors of a checkpoint: config, preprocessing, tokenizer. */
final class ClipFiles {
    private static final long PUBLISHED_IDS = 49408;

    private final ClipCheckpoint checkpoint;

    ClipFiles(ClipCheckpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    ClipConfig config() {
        TensorShapes shapes = new TensorShapes(checkpoint.tensors());
        ClipConfig config = checkpoint.format() == CheckpointFormat.HF
                ? HuggingFaceConfig.of(ConfigJson.read(required(file("config.json"))))
                : openClipConfig()
                        .map(json -> OpenClipConfig.of(json, shapes))
                        .orElseGet(() -> OpenAiConfig.of(shapes));
        boolean isComplete = shapes.hasText() || checkpoint.format() == CheckpointFormat.HF; // whose config tells
        return isComplete ? config : config.withoutText();
    }

    Preprocessing preprocessing(VisionConfig vision) {
        if (checkpoint.format() == CheckpointFormat.HF) {
            return imageProcessor()
                    .map(json -> ImageProcessorConfig.read(json, vision))
                    .orElseGet(() -> Preprocessing.of(vision, true));
        }
        return openClipConfig()
                .map(json -> Preprocessing.ofOpenClip(json.at("preprocess_cfg"), vision))
                .orElseGet(() -> Preprocessing.of(vision, false));
    }

    /** What was assumed because no file tells it, and what was passed over because nothing is known of it: a line each, for people. */
    List<String> notes() {
        List<String> notes = new ArrayList<>();
        for (String prefix : checkpoint.passedOver()) {
            notes.add(
                    checkpoint.file() + ": holds another CLIP under " + prefix + ", say a moving average, which is not"
                            + " read; where that is the one you mean, save it by itself");
        }
        if (checkpoint.format() != CheckpointFormat.HF) {
            if (openClipConfig().isEmpty() && !checkpoint.isScript()) {
                notes.add(checkpoint.file() + ": " + OpenAiConfig.assumption(config()));
            }
            if (checkpoint.tensors().info("caption_decoder.text_projection") != null) {
                notes.add(checkpoint.file()
                        + ": is a CoCa: its towers are read; its text_decoder, which writes captions, is not"
                        + " computed, and stays as it is in exports");
            }
            return notes;
        }
        ConfigJson config = ConfigJson.read(file("config.json"));
        passedOver(config, HuggingFaceKeys.unknown(config), notes);
        imageProcessor()
                .ifPresentOrElse(
                        json -> passedOver(json, ImageProcessorConfig.unknownKeys(json), notes),
                        () -> notes.add(checkpoint.folder() + ": no preprocessor_config.json nor processor_config.json:"
                                + " images are prepared as the models of this kind usually are"));
        TextConfig text = config().text();
        if (text != null && text.pooling() == TextConfig.Pooling.LAST && hidesPadding()) {
            notes.add(checkpoint.folder() + ": tokenizer_config.json names no model_input_names: the padding of texts,"
                    + " which transformers hides then, is seen by the text tower, as SigLIP was trained; add"
                    + " \"model_input_names\": [\"input_ids\"], so that transformers shows it too");
        }
        if (text != null && lacksPublishedTokenizer(text)) {
            notes.add(checkpoint.folder() + ": no vocab.json nor tokenizer.json: with " + PUBLISHED_IDS
                    + " ids the published vocabulary is assumed");
        }
        return notes;
    }

    /** Whether the folder's tokenizer hands transformers a mask. */
    private boolean hidesPadding() {
        Path file = file("tokenizer_config.json");
        if (!Files.exists(file)) {
            return false;
        }
        JsonNode names = ConfigJson.read(file).node().path("model_input_names");
        return names.isMissingNode() || names.toString().contains("attention_mask");
    }

    private static void passedOver(ConfigJson json, List<String> keys, List<String> notes) {
        json.passedOver(keys).ifPresent(notes::add);
    }

    /** Whether texts lose their punctuation before SigLIP's tokenizer. */
    boolean stripsPunctuation() {
        return SiglipTokenizer.isFirst(checkpoint.folder());
    }

    /** Whether texts of a CLIP go through another tokenizer than CLIP's: MetaCLIP 2, and other multilingual ones. */
    boolean hasForeignTokenizer() {
        if (checkpoint.format() == CheckpointFormat.HF) {
            return HuggingFaceConfig.isMetaClip2(ConfigJson.read(required(file("config.json"))))
                    && !FileTokenizer.tokenizerClass(checkpoint.folder()).startsWith("CLIPTokenizer");
        }
        return !checkpoint.isSiglip()
                && openClipConfig()
                        .map(json -> json.at("model_cfg").at("text_cfg").has("hf_tokenizer_name"))
                        .orElse(false);
    }

    /** Whether a CLIP of open_clip with another tokenizer is what transformers calls a MetaCLIP 2: texts as they are, pooled at their end. */
    boolean isLikeMetaClip2(ClipConfig config) {
        return hasForeignTokenizer()
                && config.text().pooling() == TextConfig.Pooling.FIRST_EOS
                && tokenizerSetting("clean", "whitespace").equals("whitespace")
                && tokenizerSetting("strip_sep_token", "false").equals("false")
                && FileTokenizer.isIn(checkpoint.folder());
    }

    /** Whether open_clip's config says that texts become lower case and lose their punctuation. */
    boolean canonicalizes() {
        return tokenizerSetting("clean", "").equals("canonicalize");
    }

    private String tokenizerSetting(String key, String whenAbsent) {
        return openClipConfig()
                .map(json -> json.at("model_cfg")
                        .at("text_cfg")
                        .at("tokenizer_kwargs")
                        .text(key, whenAbsent))
                .orElse(whenAbsent);
    }

    /** open_clip's config, where the layout has one. */
    private Optional<ConfigJson> openClipConfig() {
        Path file = file("open_clip_config.json");
        boolean reads = checkpoint.format() != CheckpointFormat.OPENAI && checkpoint.format() != CheckpointFormat.HF;
        return reads && Files.exists(file) ? Optional.of(ConfigJson.read(file)) : Optional.empty();
    }

    /** The settings of transformers' image processor: transformers 5 looks for them in processor_config.json first. */
    private Optional<ConfigJson> imageProcessor() {
        Path whole = file("processor_config.json");
        if (Files.exists(whole) && ConfigJson.read(whole).has("image_processor")) {
            return Optional.of(ConfigJson.read(whole).at("image_processor"));
        }
        Path alone = file("preprocessor_config.json");
        return Files.exists(alone) ? Optional.of(ConfigJson.read(alone)) : Optional.empty();
    }

    private Path file(String name) {
        return checkpoint.folder().resolve(name);
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
        Path folder = checkpoint.folder();
        Optional<ConfigJson> openClip =
                openClipConfig().map(json -> json.at("model_cfg").at("text_cfg"));
        if (openClip.isPresent()
                && (openClip.get().has("hf_tokenizer_name") || text.pooling() == TextConfig.Pooling.LAST)) {
            return OpenClipTokenizer.open(folder, openClip.get(), text);
        }
        return switch (checkpoint.format()) {
            case HF -> {
                if (text.pooling() == TextConfig.Pooling.LAST) {
                    ConfigJson json = ConfigJson.read(required(file("config.json")));
                    yield SiglipTokenizer.ofTransformers(folder, text, HuggingFaceConfig.isNaflex(json));
                }
                if (hasForeignTokenizer()) {
                    yield FileTokenizer.open(
                            folder, text.contextLength(), text.transformer().vocabSize(), TextCleaning.WHITESPACE);
                }
                yield lacksPublishedTokenizer(text)
                        ? ClipTokenizer.published(ClipTokenizer.Flavour.TRANSFORMERS, text.contextLength())
                        : ClipTokenizer.open(folder, ClipTokenizer.Flavour.TRANSFORMERS);
            }
            case OPEN_CLIP -> ClipTokenizer.published(ClipTokenizer.Flavour.OPEN_CLIP, text.contextLength());
            case OPENAI, DIVA -> ClipTokenizer.published(ClipTokenizer.Flavour.OPENAI, text.contextLength());
        };
    }

    /** Whether it was saved without its tokenizer, which by the number of its ids is the published one. */
    private boolean lacksPublishedTokenizer(TextConfig text) {
        return text.pooling() != TextConfig.Pooling.LAST
                && text.transformer().vocabSize() == PUBLISHED_IDS
                && !ClipTokenizer.isIn(checkpoint.folder());
    }

    private static Path required(Path file) {
        if (!Files.exists(file)) {
            throw new BadInputException(file + ": missing; transformers' layout needs it for heads and activation");
        }
        return file;
    }
}
