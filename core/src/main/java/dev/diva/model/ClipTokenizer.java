package dev.diva.model;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * CLIP's byte pair encoding: start, the text, end, padding to 77 ids; a longer text is cut and still ends with the end. The encoding is
 * that of the tokenizers library, with a description built here, since libraries differ in how they clean a text before it.
 */
public final class ClipTokenizer implements Tokenizer {
    /** The length that every published CLIP was trained with. */
    public static final int CONTEXT_LENGTH = 77;

    private final HuggingFaceTokenizer pieces;
    private final Flavour flavour;
    private final int contextLength;
    private final int startId;
    private final int endId;
    private final int padId;
    private final int vocabSize;

    /** Whose ids are reproduced. They differ for HTML entities, ligatures, curly quotes and special tokens inside of a text. */
    public enum Flavour {
        /** transformers' CLIPTokenizerFast, which CLIPProcessor loads. */
        TRANSFORMERS(false),
        /** transformers' CLIPTokenizer with ftfy, which Stable Diffusion pipelines load. */
        TRANSFORMERS_SLOW(true),
        /** OpenAI's clip.tokenize; pads with 0. */
        OPENAI(true),
        /** open_clip.get_tokenizer; pads with 0 and knows other names of the special tokens. */
        OPEN_CLIP(true);

        private final boolean repairsText;

        Flavour(boolean repairsText) {
            this.repairsText = repairsText;
        }
    }

    private ClipTokenizer(ClipVocabulary vocabulary, Flavour flavour, int contextLength, int padId) {
        this.startId = vocabulary.id(ClipVocabulary.START);
        this.endId = vocabulary.id(ClipVocabulary.END);
        this.padId = padId;
        this.flavour = flavour;
        this.contextLength = contextLength;
        this.vocabSize = vocabulary.ids().size();
        this.pieces = PieceEncoder.of(description(vocabulary));
    }

    /** The published vocabulary, for checkpoints that come without tokenizer files. */
    public static ClipTokenizer published(Flavour flavour, int contextLength) {
        ClipVocabulary vocabulary = ClipVocabulary.published();
        boolean padsWithZero = flavour == Flavour.OPENAI || flavour == Flavour.OPEN_CLIP;
        return new ClipTokenizer(
                vocabulary, flavour, contextLength, padsWithZero ? 0 : vocabulary.id(ClipVocabulary.END));
    }

    /** Whether the folder has the files of a CLIP tokenizer. */
    public static boolean isIn(Path folder) {
        return ClipVocabulary.isIn(folder);
    }

    /**
     * Reads {@code vocab.json} and {@code merges.txt} (or {@code tokenizer.json}); the padding token is that of {@code
     * tokenizer_config.json} or {@code special_tokens_map.json}, or else the end of text.
     *
     * @throws BadInputException when a file is missing or no CLIP tokenizer
     */
    public static ClipTokenizer open(Path folder, Flavour flavour) {
        ClipVocabulary vocabulary = ClipVocabulary.read(folder);
        if (flavour == Flavour.OPENAI || flavour == Flavour.OPEN_CLIP) {
            return new ClipTokenizer(vocabulary, flavour, CONTEXT_LENGTH, 0);
        }
        JsonNode config = json(folder.resolve("tokenizer_config.json"));
        JsonNode special = json(folder.resolve("special_tokens_map.json"));
        String pad = token(config.has("pad_token") ? config : special, "pad_token");
        int padId = vocabulary.id(pad.isEmpty() ? ClipVocabulary.END : pad);
        if (padId < 0) {
            throw new BadInputException(folder + ": pad_token " + pad + " is not in the vocabulary");
        }
        int length = config.path("model_max_length").asInt(CONTEXT_LENGTH);
        boolean isSet = length > 2 && length <= 4096; // transformers writes 1e30 for "no limit"
        return new ClipTokenizer(vocabulary, flavour, isSet ? length : CONTEXT_LENGTH, padId);
    }

    @Override
    public long[] encode(String text) {
        String cleaned = flavour.repairsText ? TextRepair.clean(text) : text;
        long[] body = pieces.encode(cleaned, false, false).getIds();
        long[] ids = new long[contextLength];
        Arrays.fill(ids, padId);
        int length = Math.min(body.length, contextLength - 2);
        ids[0] = startId;
        System.arraycopy(body, 0, ids, 1, length);
        ids[length + 1] = endId;
        return ids;
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    @Override
    public int vocabSize() {
        return vocabSize;
    }

    /** Id that fills the rest of a short text. */
    public int padId() {
        return padId;
    }

    /** The id behind the last token of a text. */
    public int endId() {
        return endId;
    }

    @Override
    public void close() {
        pieces.close();
    }

    /** The vocabulary as a {@code tokenizer.json}. */
    private ObjectNode description(ClipVocabulary vocabulary) {
        ObjectNode json = PieceEncoder.template("clip-tokenizer.json");
        Map<String, Integer> ids = new LinkedHashMap<>(vocabulary.ids());
        if (flavour == Flavour.OPEN_CLIP) {
            ids.remove(ClipVocabulary.START);
            ids.remove(ClipVocabulary.END);
            ids.put("<start_of_text>", startId);
            ids.put("<end_of_text>", endId);
            addSpecial(json, "<start_of_text>", startId, true);
            addSpecial(json, "<end_of_text>", endId, true);
        } else {
            addSpecial(json, ClipVocabulary.START, startId, true);
            addSpecial(json, ClipVocabulary.END, endId, true);
        }
        boolean padIsOwnToken = padId != endId && !(flavour == Flavour.OPENAI || flavour == Flavour.OPEN_CLIP);
        if (padIsOwnToken) {
            String pad = ids.entrySet().stream()
                    .filter(entry -> entry.getValue() == padId)
                    .map(Map.Entry::getKey)
                    .findFirst()
                    .orElseThrow();
            addSpecial(json, pad, padId, false);
        }
        ObjectNode model = (ObjectNode) json.get("model");
        model.put("unk_token", flavour == Flavour.OPEN_CLIP ? "<end_of_text>" : ClipVocabulary.END);
        ObjectNode vocab = model.putObject("vocab");
        ids.forEach(vocab::put);
        vocabulary.merges().forEach(model.putArray("merges")::add);
        return json;
    }

    private static void addSpecial(ObjectNode json, String content, int id, boolean normalized) {
        json.withArray("added_tokens")
                .addObject()
                .put("id", id)
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", normalized)
                .put("special", true);
    }

    private static String token(JsonNode file, String name) {
        JsonNode token = file.path(name);
        return token.isObject() ? token.path("content").asText("") : token.asText("");
    }

    private static JsonNode json(Path file) {
        try {
            ObjectMapper mapper = new ObjectMapper();
            return Files.exists(file) ? mapper.readTree(Files.readAllBytes(file)) : mapper.createObjectNode();
        } catch (IOException e) {
            throw new BadInputException(
                    file + ": not JSON: " + e.getMessage().lines().findFirst().orElse(""));
        }
    }
}
