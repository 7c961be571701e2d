package dev.diva.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The JSON files of a tokenizer in transformers' layout: what {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code
 * added_tokens.json} say besides a vocabulary.
 */
final class TokenizerFiles {
    private static final List<String> SPECIAL =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private static final Pattern PADS_BEFORE = Pattern.compile("(Gemma|Llama|Siglip2)Tokenizer(Fast)?");

    /** Longer is what transformers writes for "no limit": 1e30. */
    private static final long LONGEST = 4096;

    private final Path folder;
    private final ConfigJson config;
    private final ConfigJson special;
    private boolean lowers;

    TokenizerFiles(Path folder) {
        this.folder = folder;
        this.config = read("tokenizer_config.json");
        this.special = read("special_tokens_map.json");
        config.requireOnly(Map.of("truncation_side", Set.of("right")));
    }

    /**
     * Refuses padding before a text.
     *
     * @return itself
     */
    TokenizerFiles requirePaddingBehind() {
        config.requireOnly(Map.of("padding_side", Set.of("right")));
        return this;
    }

    /** Whether padding stands before a text, as its config says, or else its class in transformers does. */
    boolean padsBefore() {
        config.requireOnly(Map.of("padding_side", Set.of("right", "left")));
        boolean byClass = lowers
                || PADS_BEFORE.matcher(config.text("tokenizer_class", "")).matches();
        return config.text("padding_side", byClass ? "left" : "right").equals("left");
    }

    /**
     * Puts the lower case before the normaliser of {@code tokenizer.json}.
     *
     * @return itself
     */
    TokenizerFiles lowering() {
        lowers = true;
        return this;
    }

    private ConfigJson read(String name) {
        Path file = folder.resolve(name);
        return Files.exists(file)
                ? ConfigJson.read(file)
                : new ConfigJson(new ObjectMapper().createObjectNode(), file.toString());
    }

    /** {@code tokenizer_config.json}, or an object without keys. */
    ConfigJson config() {
        return config;
    }

    /** {@code tokenizer.json}. */
    ObjectNode description() {
        ObjectNode description = (ObjectNode)
                ConfigJson.read(folder.resolve("tokenizer.json")).node().deepCopy();
        if (lowers) {
            JsonNode own = description.path("normalizer");
            ObjectNode both = description.putObject("normalizer").put("type", "Sequence");
            both.putArray("normalizers").addObject().put("type", "Lowercase");
            if (own.isObject()) {
                both.withArray("normalizers").add(own);
            }
        }
        return description;
    }

    boolean hasDescription() {
        return Files.exists(folder.resolve("tokenizer.json"));
    }

    /** The special token of that role, for instance {@code pad_token}, or an empty string. */
    String token(String role) {
        return content(
                config.has(role) ? config.node().path(role) : special.node().path(role));
    }

    /** {@code model_max_length}, where it is a limit. */
    int maxLength(int whenAbsent) {
        int length = config.node().path("model_max_length").asInt(whenAbsent);
        return length > 2 && length <= LONGEST ? length : whenAbsent;
    }

    /**
     * Adds the tokens of the files beside it to a {@code tokenizer.json}, with the ids that they name.
     *
     * @param raw whether the added tokens are looked for in the text as it was given, as transformers' own code does, or as the files say
     * @return every id by token
     * @throws BadInputException when an id is not the next free one, which the library would give
     */
    Map<String, Integer> addTokens(ObjectNode description, boolean raw) {
        Map<String, Integer> ids = ids(description);
        ArrayNode added = description.withArray("added_tokens");
        added.forEach(token -> ids.put(content(token), token.path("id").asInt()));
        List<String> known = new ArrayList<>();
        added.forEach(token -> known.add(content(token)));
        for (ObjectNode token : beside()) {
            String content = content(token);
            if (content.isEmpty() || known.contains(content)) {
                continue;
            }
            int next = ids.values().stream().max(Comparator.naturalOrder()).orElse(-1) + 1;
            int id = ids.getOrDefault(content, next);
            if (token.path("id").asInt(id) != id) {
                throw new BadInputException(folder + ": the added token " + content + " has the id " + token.path("id")
                        + ", expected " + id + ", the one of its vocabulary or the next free one");
            }
            known.add(content);
            ids.put(content, id);
            added.add(token.put("id", id)
                    .put("normalized", !raw && token.path("normalized").asBoolean()));
        }
        return ids;
    }

    /** Ids by token of any kind of model. */
    private static Map<String, Integer> ids(ObjectNode description) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        JsonNode vocab = description.path("model").path("vocab");
        if (vocab.isArray()) { // of Unigram: pairs of a token and its score
            vocab.forEach(pair -> ids.put(pair.path(0).asText(), ids.size()));
        }
        vocab.properties()
                .forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
        return ids;
    }

    /** Added tokens in the order of their ids, then the special ones. */
    private List<ObjectNode> beside() {
        Map<Integer, ObjectNode> byId = new TreeMap<>();
        read("added_tokens.json")
                .node()
                .properties()
                .forEach(entry -> byId.put(
                        entry.getValue().asInt(),
                        token(entry.getKey(), true, false)
                                .put("id", entry.getValue().asInt())));
        config.node().path("added_tokens_decoder").properties().forEach(entry -> {
            int id = Integer.parseInt(entry.getKey());
            byId.put(id, token(entry.getValue(), false).put("id", id));
        });
        List<ObjectNode> tokens = new ArrayList<>(byId.values());
        for (ConfigJson file : List.of(config, special)) {
            SPECIAL.forEach(role -> tokens.add(token(file.node().path(role), true)));
            for (String list : List.of("additional_special_tokens", "extra_special_tokens")) {
                file.node().path(list).forEach(token -> tokens.add(token(token, true)));
            }
        }
        return tokens;
    }

    private static ObjectNode token(JsonNode node, boolean special) {
        ObjectNode token = token(content(node), node.path("normalized").asBoolean(!special), special);
        for (String flag : List.of("single_word", "lstrip", "rstrip", "special")) {
            token.put(flag, node.path(flag).asBoolean(token.path(flag).asBoolean()));
        }
        return token;
    }

    private static ObjectNode token(String content, boolean normalized, boolean special) {
        return new ObjectMapper()
                .createObjectNode()
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", normalized)
                .put("special", special);
    }

    private static String content(JsonNode token) {
        return token.isObject() ? token.path("content").asText("") : token.asText("");
    }
}
