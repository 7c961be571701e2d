package dev.diva.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ids of transformers 4.46.3 for the golden strings by its four tokenizers of one vocabulary. */
@Tag("golden")
class LlamaTokenizerTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void slowTokenizerGivesTheReferencesIds(boolean legacy) throws IOException {
        copy(
                "mha",
                List.of("tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"));
        edit("tokenizer_config.json", config -> config.put("legacy", legacy));
        requireIds(LlamaTokenizer.Kind.SLOW, "slow, legacy=" + legacy);
    }

    @ParameterizedTest
    @CsvSource({"mha, (Prepend)", "gqa, (Metaspace first)"})
    void fastTokenizerGivesTheReferencesIds(String model, String how) throws IOException {
        copy(model, List.of("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"));
        requireIds(LlamaTokenizer.Kind.FAST, "fast, tokenizer.json of " + model + " " + how);
    }

    /** transformers then ignores what tokenizer.json says of blanks: Prepend with legacy, else Metaspace. */
    @ParameterizedTest
    @CsvSource({"gqa, true, mha, (Prepend)", "mha, false, gqa, (Metaspace first)"})
    void addPrefixSpaceRebuildsTheFastTokenizer(String model, boolean legacy, String like, String how)
            throws IOException {
        copy(model, List.of("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"));
        edit(
                "tokenizer_config.json",
                config -> config.put("add_prefix_space", true).put("legacy", legacy));
        requireIds(LlamaTokenizer.Kind.FAST, "fast, tokenizer.json of " + like + " " + how);
    }

    @Test
    void filesThatContradictEachOtherAreRefused() throws IOException {
        copy(
                "mha",
                List.of(
                        "tokenizer.json",
                        "tokenizer.model",
                        "tokenizer_config.json",
                        "special_tokens_map.json",
                        "added_tokens.json"));
        LlamaTokenizer.open(folder, LlamaTokenizer.Kind.FAST).close();
        requireRefused("tokenizer.json", root -> {
            ObjectNode vocabulary = (ObjectNode) root.path("model").path("vocab");
            vocabulary.put(vocabulary.fieldNames().next(), vocabulary.size() - 1);
        });
        requireRefused("tokenizer.json", root -> {
            JsonNode added = root.path("added_tokens");
            ((ObjectNode) added.get(3)).set("id", added.get(4).path("id"));
        });
        requireRefused("added_tokens.json", root -> root.put("<image>", 12));
        requireRefused("special_tokens_map.json", root -> root.put("eos_token", "<unk>"));
        requireRefused(
                "tokenizer_config.json",
                root -> ((ObjectNode) root.path("added_tokens_decoder").path("1")).put("content", "<start>"));
    }

    private void requireRefused(String file, Edit edit) throws IOException {
        byte[] sound = Files.readAllBytes(folder.resolve(file));
        edit(file, edit);
        assertThatThrownBy(() -> LlamaTokenizer.open(folder, LlamaTokenizer.Kind.FAST))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("original model's");
        Files.write(folder.resolve(file), sound);
    }

    @Test
    void damagedModelIsRefused() throws IOException {
        copy("mha", List.of("tokenizer.model"));
        Path file = folder.resolve("tokenizer.model");
        byte[] sound = Files.readAllBytes(file);
        for (int length : new int[] {0, 1, 100, sound.length / 2}) {
            Files.write(file, java.util.Arrays.copyOf(sound, length));
            assertThatThrownBy(() -> LlamaTokenizer.open(folder, LlamaTokenizer.Kind.SLOW)
                            .encode("a"))
                    .isInstanceOf(BadInputException.class);
        }
    }

    private void requireIds(LlamaTokenizer.Kind kind, String expected) {
        Golden golden = Golden.of("llava-hf");
        JsonNode ids = golden.json("tokens.json").path("ids").path(expected);
        JsonNode strings = golden.json("strings.json");
        assertThat(ids.size()).isEqualTo(strings.size()).isPositive();
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(folder, kind)) {
            for (int i = 0; i < strings.size(); i++) {
                assertThat(tokenizer.encode(strings.get(i).asText()))
                        .as("%s of string %d", expected, i)
                        .containsExactly(longs(ids.get(i)));
            }
        }
    }

    private static long[] longs(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
    }

    private void copy(String model, List<String> names) throws IOException {
        for (String name : names) {
            Files.copy(Golden.path("llava-hf").resolve(model).resolve(name), folder.resolve(name));
        }
    }

    private interface Edit {
        void apply(ObjectNode root);
    }

    private void edit(String name, Edit edit) throws IOException {
        ObjectMapper json = new ObjectMapper();
        ObjectNode root = (ObjectNode) json.readTree(folder.resolve(name).toFile());
        edit.apply(root);
        json.writeValue(folder.resolve(name).toFile(), root);
    }
}
