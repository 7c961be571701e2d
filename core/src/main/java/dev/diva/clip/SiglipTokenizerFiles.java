package dev.diva.clip;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.ConfigJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/**
 * Makes the tokenizer files of the first SigLIP those that transformers' {@code SiglipTokenizer} reads: it wants {@code spiece.model}, where
 * open_clip's folders have the same pieces as {@code tokenizer.json}, and without {@code model_input_names} transformers 5 would hide the
 * padding, which SigLIP was trained to see.
 */
final class SiglipTokenizerFiles {
    private static final String CONFIG = "tokenizer_config.json";
    private static final String PIECES = "spiece.model";
    private static final ObjectMapper JSON = new ObjectMapper();
    // Kinds of pieces, models and wire types of sentencepiece's protocol buffer.
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int UNIGRAM = 1;
    private static final int VARINT = 0;
    private static final int BYTES = 2;
    private static final int FLOAT = 5;

    private SiglipTokenizerFiles() {}

    /**
     * Completes a folder that tokenizer files were copied into; of another tokenizer, SigLIP 2's, its inputs alone are named where they are
     * not.
     *
     * @param canonicalizes whether texts become lower case and lose their punctuation before the pieces, as open_clip says
     * @param contextLength ids of a text
     */
    static void complete(Path folder, boolean canonicalizes, long contextLength) throws IOException {
        boolean isFirst = hasPieces(folder) && (canonicalizes || SiglipTokenizer.isFirst(folder));
        if (isFirst && !Files.exists(folder.resolve(PIECES))) {
            Files.write(folder.resolve(PIECES), pieces(description(folder)));
        }
        Path file = folder.resolve(CONFIG);
        if (!isFirst && (!Files.exists(file) || ConfigJson.read(file).has("model_input_names"))) {
            return;
        }
        ObjectNode config =
                Files.exists(file) ? (ObjectNode) ConfigJson.read(file).node() : JSON.createObjectNode();
        if (isFirst && canonicalizes) {
            config.put("tokenizer_class", "SiglipTokenizer")
                    .put("do_lower_case", true)
                    .put("model_max_length", contextLength);
            for (String role : new String[] {"eos_token", "pad_token"}) {
                config.put(role, "</s>");
            }
            config.put("unk_token", "<unk>").remove("extra_ids");
        }
        if (!config.has("model_input_names")) {
            config.putArray("model_input_names").add("input_ids");
        }
        Files.writeString(file, config.toPrettyString() + "\n");
    }

    /** Whether a folder has the pieces of a first SigLIP's tokenizer, in either form. */
    static boolean hasPieces(Path folder) {
        return Files.exists(folder.resolve(PIECES))
                || description(folder).at("/model/type").asText().equals("Unigram");
    }

    private static JsonNode description(Path folder) {
        Path file = folder.resolve("tokenizer.json");
        return Files.exists(file) ? ConfigJson.read(file).node() : JSON.createObjectNode();
    }

    /** sentencepiece's model of the pieces, scores and normalisation that a tokenizer.json holds. */
    private static byte[] pieces(JsonNode description) {
        JsonNode vocabulary = description.at("/model/vocab");
        int unknown = description.at("/model/unk_id").asInt();
        ByteArrayOutputStream model = new ByteArrayOutputStream();
        for (int id = 0; id < vocabulary.size(); id++) {
            String text = vocabulary.path(id).path(0).asText();
            ByteArrayOutputStream piece = new ByteArrayOutputStream();
            bytes(piece, 1, text.getBytes(StandardCharsets.UTF_8));
            tag(piece, 2, FLOAT);
            piece.writeBytes(ByteBuffer.allocate(Float.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat((float) vocabulary.path(id).path(1).asDouble())
                    .array());
            boolean isControl = text.equals("<pad>") || text.equals("</s>") || text.equals("<s>");
            number(piece, 3, id == unknown ? UNKNOWN : isControl ? CONTROL : NORMAL);
            bytes(model, 1, piece.toByteArray());
        }
        ByteArrayOutputStream trainer = new ByteArrayOutputStream();
        number(trainer, 3, UNIGRAM);
        number(trainer, 4, vocabulary.size());
        number(trainer, 40, unknown);
        bytes(model, 2, trainer.toByteArray());
        ByteArrayOutputStream normalizer = new ByteArrayOutputStream();
        bytes(normalizer, 1, "nmt_nfkc".getBytes(StandardCharsets.UTF_8));
        JsonNode characters = description.path("normalizer").findPath("precompiled_charsmap");
        bytes(normalizer, 2, Base64.getDecoder().decode(characters.asText()));
        for (int flag = 3; flag <= 5; flag++) { // a space before the text, no doubled ones, spaces as a mark
            number(normalizer, flag, 1);
        }
        bytes(model, 3, normalizer.toByteArray());
        return model.toByteArray();
    }

    private static void tag(ByteArrayOutputStream out, int field, int wireType) {
        varint(out, (field << 3) | wireType);
    }

    private static void number(ByteArrayOutputStream out, int field, int value) {
        tag(out, field, VARINT);
        varint(out, value);
    }

    private static void bytes(ByteArrayOutputStream out, int field, byte... value) {
        tag(out, field, BYTES);
        varint(out, value.length);
        out.writeBytes(value);
    }

    private static void varint(ByteArrayOutputStream out, int value) {
        int rest = value;
        while (rest > 0x7f) {
            out.write((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.write(rest);
    }
}
