package dev.diva.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A vocabulary as the files that transformers reads: vocab.json, merges.txt, tokenizer_config.json, special_tokens_map.json. */
final class VocabularyFiles {
    private static final ObjectMapper JSON = new ObjectMapper();

    private VocabularyFiles() {}

    static void write(ClipVocabulary vocabulary, Path folder, int contextLength) throws IOException {
        Files.write(folder.resolve("vocab.json"), JSON.writeValueAsBytes(vocabulary.ids()));
        Files.writeString(
                folder.resolve("merges.txt"), "#version: 0.2\n" + String.join("\n", vocabulary.merges()) + "\n");
        ObjectNode special = JSON.createObjectNode();
        special.put("bos_token", ClipVocabulary.START);
        special.put("eos_token", ClipVocabulary.END);
        special.put("unk_token", ClipVocabulary.END);
        special.put("pad_token", ClipVocabulary.END);
        Files.writeString(folder.resolve("special_tokens_map.json"), special.toPrettyString() + "\n");
        ObjectNode config = special.deepCopy();
        config.put("tokenizer_class", "CLIPTokenizer").put("model_max_length", contextLength);
        config.put("errors", "replace").put("clean_up_tokenization_spaces", false);
        ObjectNode added = config.putObject("added_tokens_decoder");
        for (String token : List.of(ClipVocabulary.START, ClipVocabulary.END)) {
            added.putObject(Integer.toString(vocabulary.id(token)))
                    .put("content", token)
                    .put("lstrip", false)
                    .put("normalized", true)
                    .put("rstrip", false)
                    .put("single_word", false)
                    .put("special", true);
        }
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toPrettyString() + "\n");
    }
}
