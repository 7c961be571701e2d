package dev.diva.world.pretrain;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** The text tower of a CLIPModel folder as the CLIPTextModel and tokenizer of a diffusers folder. */
final class MiniTextEncoder {
    private static final List<String> TOKENIZER =
            List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json");

    private MiniTextEncoder() {}

    static void write(Path clip, Path textEncoder, Path tokenizer) throws IOException {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile source = SafetensorsFile.open(clip.resolve("model.safetensors"))) {
            Map<String, Tensor> text = new TreeMap<>();
            for (TensorInfo info : source.tensors()) {
                if (info.name().startsWith("text_model.")) {
                    text.put(info.name(), source.read(info.name()));
                }
            }
            Pretraining.write(textEncoder.resolve("model.safetensors"), text);
        }
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
