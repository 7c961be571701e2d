package dev.diva.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.Placeholder;
import dev.diva.TextFile;
import dev.diva.checkpoint.ConfigJson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * Byte pair vocabulary of a CLIP tokenizer.
 *
 * @param ids id of every piece, special tokens included
 * @param merges pairs of pieces, the first learned first, separated by a space
 */
record ClipVocabulary(Map<String, Integer> ids, List<String> merges) {
    static final String START = "<|startoftext|>";
    static final String END = "<|endoftext|>";

    /** The vocabulary of 49408 pieces that OpenAI published and OpenCLIP, MetaCLIP and DFN use. */
    static ClipVocabulary published() {
        try (InputStream file = ClipVocabulary.class.getResourceAsStream("clip-merges.txt.gz");
                InputStream text = new GZIPInputStream(file)) {
            return ofMerges(merges(new String(text.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new IllegalStateException("clip-merges.txt.gz is in the jar", e);
        }
    }

    /** Whether the folder has {@code vocab.json} and {@code merges.txt}, or a {@code tokenizer.json}. */
    static boolean isIn(Path folder) {
        return hasPair(folder) || Files.exists(folder.resolve("tokenizer.json"));
    }

    /** Reads {@code vocab.json} and {@code merges.txt}, or {@code tokenizer.json} where they are absent. */
    static ClipVocabulary read(Path folder) {
        if (hasPair(folder)) {
            Map<String, Integer> ids =
                    ids(ConfigJson.read(folder.resolve("vocab.json")).node(), folder.resolve("vocab.json"));
            return new ClipVocabulary(ids, merges(text(folder.resolve("merges.txt"))));
        }
        Path file = folder.resolve("tokenizer.json");
        if (!Files.exists(file)) {
            throw new BadInputException(
                    folder + ": no tokenizer: neither vocab.json with merges.txt nor tokenizer.json;"
                            + " copy them from the original model");
        }
        JsonNode model =
                described((ObjectNode) ConfigJson.read(file).node(), folder).path("model");
        List<String> merges = new ArrayList<>();
        model.path("merges")
                .forEach(pair -> merges.add(
                        pair.isArray()
                                ? pair.get(0).asText() + " " + pair.get(1).asText()
                                : pair.asText()));
        return new ClipVocabulary(ids(model.path("vocab"), file), merges);
    }

    /**
     * Checks that a {@code tokenizer.json} is one of CLIP.
     *
     * @return itself
     */
    static ObjectNode described(ObjectNode description, Path folder) {
        Path file = folder.resolve("tokenizer.json");
        JsonNode model = description.path("model");
        if (!"BPE".equals(model.path("type").asText("BPE")) || !model.has("merges")) {
            throw new BadInputException(file + ": model is " + model.path("type") + ", expected BPE as CLIP's");
        }
        ids(model.path("vocab"), file);
        return description;
    }

    /** Id of a piece, or -1. */
    int id(String piece) {
        return ids.getOrDefault(piece, -1);
    }

    /** The byte alphabet, the given merges and the two special tokens. */
    static ClipVocabulary ofMerges(List<String> merges) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        List<String> bytes = byteAlphabet();
        bytes.forEach(piece -> ids.put(piece, ids.size()));
        bytes.forEach(piece -> ids.put(piece + "</w>", ids.size()));
        merges.forEach(pair -> ids.put(pair.replace(" ", ""), ids.size()));
        ids.put(START, ids.size());
        ids.put(END, ids.size());
        return new ClipVocabulary(ids, merges);
    }

    /** A printable character for each byte: those that print stand for themselves and come first. */
    private static List<String> byteAlphabet() {
        List<String> printable = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            if ((b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae) {
                printable.add(String.valueOf((char) b));
            } else {
                others.add(String.valueOf((char) (256 + others.size())));
            }
        }
        printable.addAll(others);
        return printable;
    }

    static boolean hasPair(Path folder) {
        return Files.exists(folder.resolve("vocab.json")) && Files.exists(folder.resolve("merges.txt"));
    }

    private static List<String> merges(String text) {
        return text.lines()
                .filter(line -> !line.startsWith("#version") && !line.isBlank())
                .toList();
    }

    private static Map<String, Integer> ids(JsonNode vocab, Path file) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        vocab.properties()
                .forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
        if (!ids.containsKey(START) || !ids.containsKey(END)) {
            throw new BadInputException(file + ": no " + START + " and " + END + ": not a tokenizer of CLIP");
        }
        return ids;
    }

    private static String text(Path file) {
        Placeholder.refuse(file);
        return TextFile.read(file);
    }
}
