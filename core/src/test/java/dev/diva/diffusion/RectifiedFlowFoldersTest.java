package dev.diva.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders of FLUX.1 and Stable Diffusion 3 whose parts do not fit, in one line each. */
class RectifiedFlowFoldersTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        for (String name : List.of("flux1-dev", "sd35-medium")) {
            Path from = Golden.model(name);
            try (Stream<Path> files = Files.walk(from)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Path to = folder.resolve(name).resolve(from.relativize(file).toString());
                    Files.createDirectories(to.getParent());
                    Files.copy(file, to);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    flux1-dev   | transformer | num_layers             | 7       | missing transformer_blocks.1.
                    flux1-dev   | transformer | num_single_layers      | 0       | unused single_transformer_blocks.0.
                    flux1-dev   | transformer | joint_attention_dim    | 10      | context_embedder.weight is [
                    flux1-dev   | transformer | guidance_embeds        | false   | unused time_text_embed.guidance_embedder.
                    flux1-dev   | transformer | out_channels           | 4       | out_channels is 4, expected as in_channels
                    flux1-dev   | transformer | patch_size             | 2       | patch_size is 2, expected 1
                    flux1-dev   | transformer | axes_dims_rope         | [2,2,2] | axes_dims_rope is [2,2,2], expected three even numbers
                    flux1-dev   | transformer | in_channels            | 32      | not parts of one text-to-image model
                    flux1-dev   | transformer | pooled_projection_dim  | 9       | pooled_projection_dim 9, the text encoders of CLIP give
                    flux1-dev   | scheduler   | _class_name            | "DDPMScheduler" | expected FlowMatchEulerDiscreteScheduler
                    flux1-dev   | transformer | num_layers             | "7"     | num_layers is "7", expected a whole number
                    flux1-dev   | transformer | in_channels            | 30      | transformer/config.json: in_channels is 30, expected a multiple of 4
                    flux1-dev   | scheduler   | num_train_timesteps    | 500     | num_train_timesteps is 500, expected 1000
                    flux1-dev   | scheduler   | shift                  | 0       | shift is 0, expected a number above 0
                    sd35-medium | transformer | num_layers             | 3       | missing transformer_blocks.1.
                    sd35-medium | transformer | dual_attention_layers  | []      | unused transformer_blocks.0.attn2.
                    sd35-medium | transformer | dual_attention_layers  | [2]     | a list of whole numbers from 0 to 1
                    sd35-medium | transformer | dual_attention_layers  | 0       | a list of whole numbers from 0 to 1
                    sd35-medium | transformer | qk_norm                | null    | unused transformer_blocks.0.attn.norm_
                    sd35-medium | transformer | qk_norm                | "layer_norm" | qk_norm is "layer_norm", expected rms_norm
                    sd35-medium | transformer | caption_projection_dim | 20      | caption_projection_dim is 20
                    sd35-medium | transformer | pos_embed_max_size     | 5       | pos_embed.pos_embed is [1,
                    sd35-medium | transformer | joint_attention_dim    | 12      | stand side by side
                    sd35-medium | transformer | pooled_projection_dim  | 9       | pooled_projection_dim 9, the text encoders of CLIP give
                    """)
    void aSettingThatContradictsIsNamed(String name, String part, String key, String value, String words)
            throws IOException {
        set(name, part, key, value);
        assertThatThrownBy(() -> {
                    try (DiffusionModel model = DiffusionModel.load(folder.resolve(name), Golden.placement())) {
                        model.denoiser();
                    }
                })
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll(folder.resolve(name).toString(), words)
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    flux1-dev   | text_encoder_2 | feed_forward_proj | "relu" | feed_forward_proj is "relu"
                    flux1-dev   | text_encoder_2 | num_layers        | 3      | missing encoder.block.2.
                    flux1-dev   | text_encoder_2 | d_model           | 8      | d_model 8: not parts of one model
                    sd35-medium | text_encoder_3 | num_layers        | 1      | unused encoder.block.1.
                    sd35-medium | text_encoder_3 | model_type        | "umt5" | model_type is "umt5", expected t5
                    """)
    void aT5ThatDoesNotFitIsNamedOnceItIsAskedFor(String name, String part, String key, String value, String words)
            throws IOException {
        set(name, part, key, value);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(folder.resolve(name), Golden.placement())) {
            assertThat(model.encodeVector("a cat").size(1))
                    .isEqualTo(model.denoiser().vectorDim());
            assertThatThrownBy(() -> model.encodeCondition("a cat"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(words)
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void whatKnowsTimestepsAloneIsRefused() {
        try (DiffusionModel model = DiffusionModel.load(folder.resolve("flux1-dev"), Golden.placement())) {
            assertThatThrownBy(model::schedule)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("rectified");
            assertThatThrownBy(model::prompts).isInstanceOf(BadInputException.class);
            assertThatThrownBy(() -> model.encodePrompt("a cat")).isInstanceOf(BadInputException.class);
            assertThat(model.takesMean()).isFalse();
        }
    }

    @Test
    void imagesBeyondThePositionsAreRefused() {
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(folder.resolve("sd35-medium"), Golden.placement())) {
            Denoiser denoiser = model.denoiser();
            Condition told = new Condition(
                    torch.zeros(1, 2, denoiser.crossAttentionDim()), torch.zeros(1, denoiser.vectorDim()));
            assertThatThrownBy(() ->
                            denoiser.predict(torch.zeros(1, denoiser.latentChannels(), 64, 4), torch.zeros(1), told))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("set a smaller resolution");
        }
    }

    @Test
    void aFolderOfQuantisedFilesAloneIsNamed() throws IOException {
        Path gguf = Files.createDirectory(folder.resolve("FLUX.1-dev-gguf"));
        Files.writeString(gguf.resolve("flux1-dev-Q4_K_S.gguf"), "GGUF\u0003\0\0\0");
        assertThatThrownBy(() -> DiffusionModel.load(gguf, Golden.placement()).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll(gguf.toString(), "flux1-dev-Q4_K_S.gguf is quantised by ggml");
    }

    private void set(String name, String part, String key, String value) throws IOException {
        Path file = folder.resolve(name)
                .resolve(part)
                .resolve(part.equals("scheduler") ? "scheduler_config.json" : "config.json");
        ObjectMapper json = new ObjectMapper();
        ObjectNode config = (ObjectNode) json.readTree(file.toFile());
        config.set(key, json.readTree(value));
        json.writeValue(file.toFile(), config);
    }
}
