package dev.diva.world.pretrain;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.language.LlamaConfig;
import dev.diva.mllm.PromptTemplate;
import dev.diva.world.SceneQuestion;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Shape and words of the small language model: Llama's decoder, every word of the world one token. */
final class MiniLanguage {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> SPECIAL = List.of("<unk>", "<s>", "</s>");
    /** What the tokenizer takes for a word. */
    private static final Pattern WORD = Pattern.compile("\\w+|[^\\w\\s]+");

    private MiniLanguage() {}

    /** {@code config.json} of a Llama. */
    static ObjectNode config() {
        ObjectNode json = JSON.createObjectNode();
        json.putArray("architectures").add("LlamaForCausalLM");
        return json.put("model_type", "llama")
                .put("hidden_size", 128)
                .put("intermediate_size", 344)
                .put("num_hidden_layers", 4)
                .put("num_attention_heads", 4)
                .put("num_key_value_heads", 4)
                .put("hidden_act", "silu")
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 10_000.0)
                .put("max_position_embeddings", 256)
                .put("vocab_size", words().size())
                .put("tie_word_embeddings", false)
                .put("bos_token_id", 1)
                .put("eos_token_id", 2)
                .put("pad_token_id", 0)
                .put("torch_dtype", "float16");
    }

    static LlamaConfig shape() {
        return LlamaConfig.read(new ConfigJson(config(), "the small language model"));
    }

    /** Every token, the special ones first. */
    static List<String> words() {
        StringBuilder text = new StringBuilder(String.join(" ", Captions.vocabulary()));
        text.append(' ').append(PromptTemplate.VICUNA_V1.ask(SceneQuestion.CAPTION, false));
        text.append(" What is true of the ? How does stand to ( a ) ( b ) . -");
        for (Kind kind : Kind.values()) {
            text.append(' ').append(kind.noun());
        }
        TreeSet<String> sorted = new TreeSet<>(
                WORD.matcher(text).results().map(MatchResult::group).toList());
        return java.util.stream.Stream.concat(SPECIAL.stream(), sorted.stream()).toList();
    }

    /** Writes {@code tokenizer.json} and {@code tokenizer_config.json}. */
    static void writeTokenizer(Path folder) throws IOException {
        ObjectNode root = JSON.createObjectNode().put("version", "1.0");
        ArrayNode added = root.putArray("added_tokens");
        for (int id = 0; id < SPECIAL.size(); id++) {
            ObjectNode token = added.addObject().put("id", id).put("content", SPECIAL.get(id));
            for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
                token.put(flag, false);
            }
            token.put("special", true);
        }
        root.putNull("normalizer");
        root.putObject("pre_tokenizer").put("type", "Whitespace");
        ObjectNode begin = root.putObject("post_processor").put("type", "TemplateProcessing");
        template(begin.putArray("single"), "A");
        template(begin.putArray("pair"), "A", "B");
        ObjectNode special = begin.putObject("special_tokens").putObject("<s>").put("id", "<s>");
        special.putArray("ids").add(1);
        special.putArray("tokens").add("<s>");
        root.putNull("decoder");
        ObjectNode model = root.putObject("model").put("type", "WordLevel");
        ObjectNode vocabulary = model.putObject("vocab");
        List<String> words = words();
        for (int id = 0; id < words.size(); id++) {
            vocabulary.put(words.get(id), id);
        }
        model.put("unk_token", "<unk>");
        Files.writeString(folder.resolve("tokenizer.json"), root.toPrettyString() + "\n");
        ObjectNode config = JSON.createObjectNode()
                .put("tokenizer_class", "PreTrainedTokenizerFast")
                .put("bos_token", "<s>")
                .put("eos_token", "</s>")
                .put("unk_token", "<unk>")
                .put("clean_up_tokenization_spaces", false);
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toPrettyString() + "\n");
    }

    private static void template(ArrayNode parts, String... sequences) {
        part(parts, "SpecialToken", "<s>");
        for (String sequence : sequences) {
            part(parts, "Sequence", sequence);
        }
    }

    private static void part(ArrayNode parts, String kind, String id) {
        parts.addObject().putObject(kind).put("id", id).put("type_id", 0);
    }
}
