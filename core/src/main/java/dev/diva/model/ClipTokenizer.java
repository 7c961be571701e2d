package dev.diva.model;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
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

    private ClipTokenizer(
            HuggingFaceTokenizer pieces, Map<String, Integer> ids, Flavour flavour, int contextLength, int padId) {
        this.pieces = pieces;
        this.startId = ids.get(ClipVocabulary.START);
        this.endId = ids.get(ClipVocabulary.END);
        this.padId = padId;
        this.flavour = flavour;
        this.contextLength = contextLength;
        this.vocabSize = ids.values().stream().max(Comparator.naturalOrder()).orElseThrow() + 1;
    }

    /** The published vocabulary, for checkpoints that come without tokenizer files. */
    public static ClipTokenizer published(Flavour flavour, int contextLength) {
        return ofVocabulary(ClipVocabulary.published(), flavour, contextLength);
    }

    private static ClipTokenizer ofVocabulary(ClipVocabulary vocabulary, Flavour flavour, int contextLength) {
        boolean padsWithZero = flavour == Flavour.OPENAI || flavour == Flavour.OPEN_CLIP;
        return new ClipTokenizer(
                PieceEncoder.of(description(vocabulary, flavour)),
                vocabulary.ids(),
                flavour,
                contextLength,
                padsWithZero ? 0 : vocabulary.id(ClipVocabulary.END));
    }

    /** Whether the folder has the files of a CLIP tokenizer. */
    public static boolean isIn(Path folder) {
        return ClipVocabulary.isIn(folder);
    }

    /**
     * Reads {@code vocab.json} and {@code merges.txt}, or {@code tokenizer.json}, which transformers' fast tokenizers prefer; tokens that the
     * files add are tokens. The padding token is that of {@code tokenizer_config.json} or {@code special_tokens_map.json}, or else the
     * end of text.
     *
     * @throws BadInputException when a file is missing or no CLIP tokenizer, or has a setting that is not followed
     */
    public static ClipTokenizer open(Path folder, Flavour flavour) {
        if (flavour == Flavour.OPENAI || flavour == Flavour.OPEN_CLIP) {
            return ofVocabulary(ClipVocabulary.read(folder), flavour, CONTEXT_LENGTH);
        }
        TokenizerFiles files = new TokenizerFiles(folder).requirePaddingBehind();
        requireRole(folder, files, "bos_token", ClipVocabulary.START);
        requireRole(folder, files, "eos_token", ClipVocabulary.END);
        boolean isFast = flavour == Flavour.TRANSFORMERS && files.hasDescription();
        ObjectNode description = isFast
                ? ClipVocabulary.described(files.description(), folder)
                : description(ClipVocabulary.read(folder), flavour);
        if (!isFast && !ClipVocabulary.hasPair(folder)) {
            description.set("added_tokens", files.description().withArray("added_tokens"));
        }
        Map<String, Integer> ids = files.addTokens(description, !isFast);
        String pad = files.token("pad_token");
        Integer padId = ids.get(pad.isEmpty() ? ClipVocabulary.END : pad);
        if (padId == null) {
            throw new BadInputException(folder + ": pad_token " + pad + " is not in the vocabulary");
        }
        ClipTokenizer tokenizer = new ClipTokenizer(
                PieceEncoder.of(description, folder), ids, flavour, files.maxLength(CONTEXT_LENGTH), padId);
        if (isFast) {
            tokenizer.requireEnds(folder);
        }
        return tokenizer;
    }

    private static void requireRole(Path folder, TokenizerFiles files, String role, String token) {
        String found = files.token(role);
        if (!found.isEmpty() && !found.equals(token)) {
            throw new BadInputException(
                    folder + ": " + role + " is " + found + ", expected " + token + " as in every CLIP");
        }
    }

    /** What the file itself puts around a text must be what this class does. */
    private void requireEnds(Path folder) {
        long[] found = pieces.encode("", true, false).getIds();
        if (found.length != 0 && !Arrays.equals(found, new long[] {startId, endId})) {
            pieces.close();
            throw new BadInputException(folder + ": the post_processor of tokenizer.json puts " + Arrays.toString(found)
                    + " around a text, expected " + startId + " and " + endId);
        }
    }

    @Override
    public long[] encode(String text) {
        return flavour.repairsText ? encodeAsBenchmarksDo(text) : ids(text);
    }

    @Override
    public long[] encodeAsBenchmarksDo(String text) {
        return ids(TextRepair.clean(text));
    }

    private long[] ids(String cleaned) {
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
    private static ObjectNode description(ClipVocabulary vocabulary, Flavour flavour) {
        ObjectNode json = PieceEncoder.template("clip-tokenizer.json");
        Map<String, Integer> ids = new LinkedHashMap<>(vocabulary.ids());
        String start = flavour == Flavour.OPEN_CLIP ? "<start_of_text>" : ClipVocabulary.START;
        String end = flavour == Flavour.OPEN_CLIP ? "<end_of_text>" : ClipVocabulary.END;
        ids.put(start, ids.remove(ClipVocabulary.START));
        ids.put(end, ids.remove(ClipVocabulary.END));
        addSpecial(json, start, ids.get(start));
        addSpecial(json, end, ids.get(end));
        ObjectNode model = (ObjectNode) json.get("model");
        model.put("unk_token", end);
        ObjectNode vocab = model.putObject("vocab");
        ids.forEach(vocab::put);
        vocabulary.merges().forEach(model.putArray("merges")::add);
        return json;
    }

    private static void addSpecial(ObjectNode json, String content, int id) {
        json.withArray("added_tokens")
                .addObject()
                .put("id", id)
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", true)
                .put("special", true);
    }
}
