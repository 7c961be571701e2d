package dev.diva.language;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The tokenizer files of a folder, which may be several and must agree. */
record TokenizerFiles(Path folder, ConfigJson config, ConfigJson special) {
    private static final List<String> ROLES = List.of("unk_token", "bos_token", "eos_token", "pad_token");

    static TokenizerFiles read(Path folder) {
        return new TokenizerFiles(
                folder, readOptional(folder, "tokenizer_config.json"), readOptional(folder, "special_tokens_map.json"));
    }

    private static ConfigJson readOptional(Path folder, String name) {
        Path file = folder.resolve(name);
        return Files.exists(file)
                ? ConfigJson.read(file)
                : new ConfigJson(com.fasterxml.jackson.databind.node.MissingNode.getInstance(), file.toString());
    }

    Path json() {
        return folder.resolve("tokenizer.json");
    }

    Path model() {
        return folder.resolve("tokenizer.model");
    }

    boolean isLegacy() {
        return config.flag("legacy", true);
    }

    /** transformers' default; a file that says anything makes it build the fast tokenizer from the slow one. */
    boolean addsPrefixSpace() {
        return config.flag("add_prefix_space", true);
    }

    boolean namesPrefixSpace() {
        return config.has("add_prefix_space");
    }

    /** Text of the token with that role, for instance {@code eos_token}. */
    String token(String role, String whenAbsent) {
        return content(config.node().path(role))
                .or(() -> content(special.node().path(role)))
                .orElse(whenAbsent);
    }

    private static Optional<String> content(JsonNode node) {
        JsonNode text = node.isObject() ? node.path("content") : node;
        return text.isTextual() ? Optional.of(text.asText()) : Optional.empty();
    }

    /** Texts of all tokens that have a role. */
    Set<String> specialTokens() {
        Set<String> tokens = new LinkedHashSet<>();
        for (String role : ROLES) {
            String token = token(role, role.equals("pad_token") ? "" : defaultToken(role));
            if (!token.isEmpty()) {
                tokens.add(token);
            }
        }
        for (ConfigJson file : List.of(config, special)) {
            file.node()
                    .path("additional_special_tokens")
                    .forEach(node -> content(node).ifPresent(tokens::add));
        }
        return tokens;
    }

    static String defaultToken(String role) {
        return switch (role) {
            case "bos_token" -> "<s>";
            case "eos_token" -> "</s>";
            default -> "<unk>";
        };
    }

    /** What the files beside tokenizer.json add to the vocabulary, by text. */
    Map<String, AddedToken> addedTokens() {
        Map<String, AddedToken> tokens = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry :
                config.node().path("added_tokens_decoder").properties()) {
            add(tokens, token(entry.getValue(), id(entry.getKey())), config.location());
        }
        Path added = folder.resolve("added_tokens.json");
        if (Files.exists(added)) {
            Set<String> special = specialTokens();
            for (Map.Entry<String, JsonNode> entry :
                    ConfigJson.read(added).node().properties()) {
                String content = entry.getKey();
                AddedToken known = tokens.get(content);
                AddedToken token =
                        new AddedToken(content, entry.getValue().asLong(-1), false, false, special.contains(content));
                add(tokens, known != null && known.id() == token.id() ? known : token, added.toString());
            }
        }
        return tokens;
    }

    private static AddedToken token(JsonNode node, long id) {
        return new AddedToken(
                node.path("content").asText(),
                id,
                node.path("lstrip").asBoolean(),
                node.path("rstrip").asBoolean(),
                node.path("special").asBoolean());
    }

    private long id(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new BadInputException(config.location() + ": added_tokens_decoder has the id " + text, e);
        }
    }

    private static void add(Map<String, AddedToken> tokens, AddedToken token, String location) {
        AddedToken other = tokens.put(token.content(), token);
        if (other != null && other.id() != token.id()) {
            throw new BadInputException(location + ": \"" + token.content() + "\" has the id " + token.id() + ", "
                    + other.id() + " in another tokenizer file of the folder; put the original model's files there");
        }
        for (AddedToken third : tokens.values()) {
            if (third.id() == token.id() && !third.content().equals(token.content())) {
                throw new BadInputException(location + ": the id " + token.id() + " is \"" + token.content()
                        + "\" and \"" + third.content() + "\"; put the original model's tokenizer files there");
            }
        }
    }

    /**
     * Compares whatever two files both say.
     *
     * @throws BadInputException naming the first contradiction
     */
    void requireAgreement() {
        for (String role : ROLES) {
            Optional<String> one = content(config.node().path(role));
            Optional<String> other = content(special.node().path(role));
            if (one.isPresent() && other.isPresent() && !one.equals(other)) {
                throw new BadInputException(config.location() + ": " + role + " is \"" + one.get() + "\", \""
                        + other.get() + "\" in special_tokens_map.json; put the original model's files there");
            }
        }
        Map<String, AddedToken> added = new LinkedHashMap<>(addedTokens());
        Map<String, Integer> pieces =
                Files.exists(model()) ? idsOf(SentencePieceModel.read(model()).pieces()) : Map.of();
        for (AddedToken token : added.values()) {
            requirePiece(pieces, token.content(), token.id(), "tokenizer_config.json or added_tokens.json");
        }
        if (Files.exists(json())) {
            JsonNode root = ConfigJson.read(json()).node();
            for (JsonNode node : root.path("added_tokens")) {
                AddedToken token = token(node, node.path("id").asLong(-1));
                add(added, token, json().toString());
                requirePiece(pieces, token.content(), token.id(), "tokenizer.json");
            }
            JsonNode vocabulary = root.path("model").path("vocab");
            for (String piece : vocabulary.isObject() ? pieces.keySet() : Set.<String>of()) {
                requirePiece(pieces, piece, vocabulary.path(piece).asLong(-1), "tokenizer.json");
            }
        }
    }

    private static Map<String, Integer> idsOf(List<String> pieces) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (int id = 0; id < pieces.size(); id++) {
            ids.putIfAbsent(pieces.get(id), id);
        }
        return ids;
    }

    /** Ids inside the sentencepiece vocabulary belong to its pieces. */
    private void requirePiece(Map<String, Integer> pieces, String content, long id, String where) {
        if (pieces.isEmpty()) {
            return;
        }
        int expected = pieces.getOrDefault(content, -1);
        boolean isFree = expected < 0 && id >= pieces.size();
        if (id != expected && !isFree) {
            throw new BadInputException(
                    model() + ": the id of \"" + content + "\" is " + (expected < 0 ? "none" : expected) + ", " + id
                            + " in " + where + "; put the original model's tokenizer files there");
        }
    }
}
