package dev.diva.mllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.pickle.StateDictWriter;
import dev.diva.language.Generation;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What belongs together and what does not. */
@Tag("golden")
@ExtendWith(OneThread.class)
class LlavaFolderTest {
    private static final Golden ORIGINAL = Golden.of("llava-original");
    private static final String LAYER = "model.layers.0.self_attn.k_proj.weight";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "language_model.model.layers.3.mlp.up_proj.weight, model.layers.3.mlp.up_proj.weight",
        "model.language_model.embed_tokens.weight, model.embed_tokens.weight",
        "language_model.lm_head.weight, lm_head.weight",
        "lm_head.weight, lm_head.weight",
        "multi_modal_projector.linear_2.bias, model.mm_projector.2.bias",
        "model.multi_modal_projector.linear_1.weight, model.mm_projector.0.weight",
        "vision_tower.vision_model.a, model.vision_tower.vision_tower.vision_model.a",
        "model.vision_tower.vision_model.a, model.vision_tower.vision_tower.vision_model.a",
        "model.vision_tower.vision_tower.vision_model.a, model.vision_tower.vision_tower.vision_model.a"
    })
    void everyFormOfNamesIsOurs(String stored, String ours) {
        assertThat(LlavaNames.ours(stored)).isEqualTo(ours);
        assertThat(LlavaNames.ours(LlavaNames.published(ours))).isEqualTo(ours);
    }

    /** W + alpha / r * B A, and the projector of the file beside it. */
    @Test
    void adapterIsMergedAndTheProjectorBesideItReplacesTheBases() throws IOException {
        try (PointerScope scope = new PointerScope();
                LlavaFolder base = LlavaFolder.open(ORIGINAL.file("released"), null)) {
            long[] shape = base.tensors().info(LAYER).shape();
            Tensor down = torch.randn(2, shape[1]);
            Tensor up = torch.randn(shape[0], 2);
            Tensor bias = torch.randn(
                    base.tensors().info(LlavaNames.PROJECTOR + "0.bias").shape());
            writeAdapter(down, up, config -> {});
            StateDictWriter.write(
                    folder.resolve("non_lora_trainables.bin"),
                    Map.of("base_model.model.model.mm_projector.0.bias", bias));
            try (LlavaFolder adapted = LlavaFolder.open(folder, ORIGINAL.file("released"))) {
                Tensor expected = base.tensors()
                        .read(LAYER)
                        .to(ScalarType.Float)
                        .add(up.matmul(down).mul(new Scalar(3.0 / 2)));
                Close.assertClose(adapted.tensors().read(LAYER), expected, 0, 1e-5);
                Close.assertClose(adapted.tensors().read(LlavaNames.PROJECTOR + "0.bias"), bias, 0, 0);
                assertThat(adapted.tensors().tensors())
                        .hasSameSizeAs(base.tensors().tensors());
            }
        }
    }

    @Test
    void adapterOverAnotherBaseIsRefused() throws IOException {
        try (PointerScope scope = new PointerScope()) {
            writeAdapter(torch.randn(2, 7), torch.randn(9, 2), config -> {});
            requireRefused(ORIGINAL.file("released"), "another base");
            int twice =
                    2 * ORIGINAL.json("released/config.json").get("hidden_size").asInt();
            writeAdapter(torch.randn(2, 7), torch.randn(9, 2), config -> config.put("hidden_size", twice));
            requireRefused(ORIGINAL.file("released"), "another base", "hiddenSize is " + twice);
            requireRefused(null, "--base");
        }
    }

    private void requireRefused(Path base, String... parts) {
        assertThatThrownBy(() -> LlavaFolder.open(folder, base))
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll(parts);
    }

    private void writeAdapter(Tensor down, Tensor up, Consumer<ObjectNode> edit) throws IOException {
        ObjectMapper json = new ObjectMapper();
        ObjectNode config = (ObjectNode)
                json.readTree(ORIGINAL.file("released").resolve("config.json").toFile());
        edit.accept(config);
        json.writeValue(folder.resolve("config.json").toFile(), config);
        Files.writeString(
                folder.resolve("adapter_config.json"),
                "{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":3,\"base_model_name_or_path\":\"nowhere/vicuna\"}");
        String prefix = "base_model.model." + LAYER.replace(".weight", "");
        SafetensorsWriter.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of(prefix + ".lora_A.weight", down, prefix + ".lora_B.weight", up),
                Map.of());
    }

    @Test
    void twoTowersThatDifferAreRefusedUntilOneIsChosen() {
        try (LlavaFolder llava = LlavaFolder.open(ORIGINAL.file("self-trained"), null)) {
            assertThatThrownBy(() -> new Towers(llava).open(null))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContainingAll("differs", "--tower config", "--tower checkpoint");
            new Towers(llava).open("config").close();
            new Towers(llava).open("checkpoint").close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"released", "self-trained"})
    void everyKeyIsAccountedFor(String model) throws IOException {
        copy(ORIGINAL.file(model));
        try (PointerScope scope = new PointerScope();
                LlavaFolder llava = LlavaFolder.open(ORIGINAL.file(model), null)) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            for (TensorInfo info : llava.tensors().tensors()) {
                tensors.put(info.name(), llava.tensors().read(info.name()).clone());
            }
            tensors.put("model.layers.0.self_attn.q_proj.bias", torch.zeros(3));
            SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
        }
        assertThatThrownBy(() -> Llava.load(
                        folder,
                        Llava.Options.DEFAULT.withTower(ORIGINAL.file("clip").toString())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("unused model.layers.0.self_attn.q_proj.bias");
    }

    @Test
    void placeholdersAndImagesNeedEachOtherAndPromptsHaveALimit() {
        try (PointerScope scope = new PointerScope();
                Llava llava = Llava.load(ORIGINAL.file("released"), Llava.Options.DEFAULT)) {
            Generation one = Generation.greedy(1);
            long width = llava.config().language().hiddenSize();
            try (ImageTokens image = new ImageTokens(torch.zeros(1, 16, width))) {
                for (Runnable wrong : new Runnable[] {
                    () -> llava.answer("<image>\nWhat?", null, one),
                    () -> llava.answer("What?", image, one),
                    () -> llava.answer("<image><image>", image, one)
                }) {
                    assertThatThrownBy(wrong::run)
                            .isInstanceOf(BadInputException.class)
                            .hasMessageContaining("needs the other");
                }
                int positions = llava.config().language().maxPositions();
                assertThatThrownBy(() -> llava.answer("<image>" + "? ".repeat(positions), image, one))
                        .isInstanceOf(BadInputException.class)
                        .hasMessageContaining("the model has " + positions);
                String fits =
                        "\u0001".repeat(positions - 1); // with the bos and the blank before the first, one too many
                assertThatThrownBy(() -> llava.answer(fits, null, one)).isInstanceOf(BadInputException.class);
                Answer last = llava.answer("\u0001".repeat(positions - 2), null, Generation.greedy(5));
                assertThat(last.promptTokens()).hasSize(positions);
                assertThat(last.tokens()).hasSize(1);
            }
        }
    }

    @Test
    void sampledTokensFollowTheSeed() {
        try (PointerScope scope = new PointerScope();
                Llava llava = Llava.load(ORIGINAL.file("released"), Llava.Options.DEFAULT)) {
            Answer one = llava.answer("What?", null, new Generation(12, 1, 1));
            assertThat(llava.answer("What?", null, new Generation(12, 1, 1))).isEqualTo(one);
            assertThat(llava.answer("What?", null, new Generation(12, 1, 2))).isNotEqualTo(one);
            assertThat(llava.answer("What?", null, new Generation(12, 1e-6, 2)))
                    .isEqualTo(llava.answer("What?", null, Generation.greedy(12)));
        }
    }

    private void copy(Path from) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(
                            f -> f.toString().endsWith(".json") || f.toString().endsWith(".model"))
                    .toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Files.deleteIfExists(folder.resolve("pytorch_model.bin.index.json"));
    }
}
