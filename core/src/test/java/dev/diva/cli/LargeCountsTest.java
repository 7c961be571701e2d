package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.mine.Dinov2;
import dev.diva.mllm.Llava;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A config that counts more blocks than a file could hold is refused by what is missing, in every kind of model, before they are built. */
class LargeCountsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MANY = 2_000_000_000; // so many blocks fill any memory

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "clip-hf-vit, config.json, /vision_config/num_hidden_layers",
        "clip-hf-vit, config.json, /text_config/num_hidden_layers",
        "siglip-hf, config.json, /vision_config/num_hidden_layers",
        "metaclip2-open_clip, open_clip_config.json, /model_cfg/vision_cfg/layers",
        "metaclip2-open_clip, open_clip_config.json, /model_cfg/text_cfg/layers",
        "sd21, unet/config.json, /layers_per_block",
        "sd21, unet/config.json, /transformer_layers_per_block",
        "sd21, vae/config.json, /layers_per_block",
        "sd21, text_encoder/config.json, /num_hidden_layers",
        "flux1-dev, transformer/config.json, /num_layers",
        "flux1-dev, transformer/config.json, /num_single_layers",
        "flux1-dev, text_encoder_2/config.json, /num_layers",
        "sd35-medium, transformer/config.json, /num_layers",
        "dinov2, config.json, /num_hidden_layers",
        "llava-hf/mha, config.json, /text_config/num_hidden_layers",
        "llava-hf/mha, config.json, /vision_config/num_hidden_layers"
    })
    void areRefusedByWhatIsMissing(String name, String config, String key) throws IOException {
        Path model = copy(Golden.model(name));
        set(model.resolve(config), key);
        assertThatThrownBy(() -> load(name, model))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(model.toString())
                .hasMessageContaining("does not fit the model: missing ")
                .hasMessageEndingWith("; and more");
    }

    private static void load(String name, Path model) {
        try (PointerScope scope = new PointerScope()) {
            if (name.startsWith("llava")) {
                Llava.load(model, new Llava.Options(Precision.FP32, 1, null, null, null))
                        .close();
            } else if (name.startsWith("dinov2")) {
                Dinov2.load(model, Precision.FP32).close();
            } else if (Files.exists(model.resolve("vae"))) {
                try (DiffusionModel teacher = DiffusionModel.load(model, Placement.cpu(Precision.FP32))) {
                    teacher.encodeCondition("a cat");
                    teacher.denoiser();
                }
            } else {
                Clip.load(model).close();
            }
        }
    }

    private static void set(Path config, String pointer) throws IOException {
        ObjectNode root = (ObjectNode) JSON.readTree(config.toFile());
        int last = pointer.lastIndexOf('/');
        ObjectNode parent = (ObjectNode) root.at(pointer.substring(0, last));
        String key = pointer.substring(last + 1);
        if (parent.path(key) instanceof ArrayNode list) {
            list.set(0, list.numberNode(MANY));
        } else {
            parent.put(key, MANY);
        }
        Files.writeString(config, root.toString());
    }

    private Path copy(Path model) throws IOException {
        Path copy = folder.resolve("model");
        List<Path> all;
        try (Stream<Path> files = Files.walk(model)) {
            all = files.toList();
        }
        for (Path file : all) {
            Files.copy(file, copy.resolve(model.relativize(file).toString()));
        }
        return copy;
    }
}
