package dev.diva.model;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;

/** Opens the tokenizers library without network access. */
public final class PieceEncoder {
    private PieceEncoder() {}

    static HuggingFaceTokenizer of(ObjectNode description) {
        try {
            return of(new ObjectMapper().writeValueAsBytes(description));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Opens a {@code tokenizer.json}. */
    public static HuggingFaceTokenizer of(byte[] description) throws IOException {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        return HuggingFaceTokenizer.newInstance(
                new ByteArrayInputStream(description), Map.of("truncation", "false", "padding", "false"));
    }

    /** @param folder where the description comes from, for the message */
    static HuggingFaceTokenizer of(ObjectNode description, Path folder) {
        try {
            return of(description);
        } catch (RuntimeException e) {
            throw new BadInputException(
                    folder + ": tokenizer.json cannot be used: "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    e);
        }
    }

    static ObjectNode template(String resource) {
        try (InputStream stream = PieceEncoder.class.getResourceAsStream(resource)) {
            return (ObjectNode) new ObjectMapper().readTree(stream);
        } catch (IOException e) {
            throw new IllegalStateException(resource + " is in the jar", e);
        }
    }
}
