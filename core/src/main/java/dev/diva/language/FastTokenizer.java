package dev.diva.language;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.PieceEncoder;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/** A {@code tokenizer.json}, run by the library that defines it. */
final class FastTokenizer implements LlamaTokenizer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BLANK = "\u2581";

    private final HuggingFaceTokenizer library;
    private final Map<String, Long> ids = new HashMap<>();
    private final long size;
    private final long endId;
    private final String end;

    FastTokenizer(TokenizerFiles files) {
        ObjectNode root = (ObjectNode) ConfigJson.read(files.json()).node();
        root.path("model")
                .path("vocab")
                .properties()
                .forEach(e -> ids.put(e.getKey(), e.getValue().asLong()));
        root.path("added_tokens")
                .forEach(node ->
                        ids.put(node.path("content").asText(), node.path("id").asLong()));
        this.size = ids.values().stream().mapToLong(Long::longValue).max().orElse(-1) + 1;
        this.end = files.token("eos_token", TokenizerFiles.defaultToken("eos_token"));
        this.endId = idOf(end)
                .orElseThrow(
                        () -> new BadInputException(files.json() + ": has no token \"" + end + "\", the eos_token"));
        if (files.namesPrefixSpace()) {
            rebuild(root, files);
        }
        try {
            this.library = PieceEncoder.of(JSON.writeValueAsBytes(root));
        } catch (IOException | RuntimeException e) {
            throw new BadInputException(files.json() + ": tokenizer cannot be read: " + e.getMessage(), e);
        }
    }

    /** A folder that says {@code add_prefix_space} has its blanks treated as transformers converts a slow tokenizer. */
    private static void rebuild(ObjectNode root, TokenizerFiles files) {
        boolean adds = files.addsPrefixSpace();
        if (files.isLegacy()) {
            ObjectNode normalizer = root.putObject("normalizer").put("type", "Sequence");
            var steps = normalizer.putArray("normalizers");
            if (adds) {
                steps.addObject().put("type", "Prepend").put("prepend", BLANK);
            }
            ObjectNode replace = steps.addObject().put("type", "Replace").put("content", BLANK);
            replace.putObject("pattern").put("String", " ");
            root.putNull("pre_tokenizer");
        } else {
            root.putNull("normalizer");
            root.putObject("pre_tokenizer")
                    .put("type", "Metaspace")
                    .put("replacement", BLANK)
                    .put("prepend_scheme", adds ? "first" : "never")
                    .put("split", false);
        }
        for (JsonNode decoder : root.path("decoder").path("decoders")) {
            if (decoder.path("type").asText().equals("Strip")) {
                ((ObjectNode) decoder).put("start", adds ? 1 : 0);
            }
        }
    }

    @Override
    public long[] encode(String text) {
        return library.encode(text, true, false).getIds();
    }

    @Override
    public String decode(long... tokens) {
        long[] known = Arrays.stream(tokens).filter(id -> id < size).toArray();
        return known.length == 0 ? "" : library.decode(known, true);
    }

    @Override
    public boolean restartsBehindSpecial() {
        int alone = encode("USER").length - encode("").length;
        return encode(end + "USER").length - encode(end).length == alone;
    }

    @Override
    public OptionalLong idOf(String token) {
        Long id = ids.get(token);
        return id == null ? OptionalLong.empty() : OptionalLong.of(id);
    }

    @Override
    public long endId() {
        return endId;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void close() {
        library.close();
    }
}
