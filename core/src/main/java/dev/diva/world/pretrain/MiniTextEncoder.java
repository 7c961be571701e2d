package dev.diva.world.pretrain;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Shape and tokenizer of the text encoder of a diffusers folder: those of the text tower of a CLIPModel folder, whose weights it does not share. */
final class MiniTextEncoder {
    private static final List<String> TOKENIZER =
            List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json");

    private MiniTextEncoder() {}

    static void write(Path clip, Path textEncoder, Path tokenizer) throws IOException {
        ObjectNode whole = (ObjectNode) new ObjectMapper().readTree(Files.readAllBytes(clip.resolve("config.json")));
        ObjectNode config = (ObjectNode) whole.required("text_config");
        config.putArray("architectures").add("CLIPTextModel");
        config.put("torch_dtype", "float16");
        Files.writeString(textEncoder.resolve("config.json"), config.toPrettyString() + "\n");
        for (String file : TOKENIZER) {
            AtomicFile.copy(clip.resolve(file), tokenizer.resolve(file));
        }
    }
}
