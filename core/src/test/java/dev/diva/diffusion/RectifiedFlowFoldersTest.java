package dev.diva.diffusion;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders of FLUX.1, Sana and Stable Diffusion 3 whose parts do not fit, in one line each. */
class RectifiedFlowFoldersTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        for (String name : List.of("flux1-dev", "sana", "sana15", "sd35-medium")) {
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
                    sana        | transformer | num_layers             | 3       | missing transformer_blocks.2.
                    sana        | transformer | num_layers             | 1       | unused transformer_blocks.1.
                    sana        | transformer | mlp_ratio              | 3       | transformer_blocks.0.ff.conv_inverted.weight is [
                    sana        | transformer | caption_channels       | 10      | caption_projection.linear_1.weight is [
                    sana        | transformer | attention_bias         | true    | missing transformer_blocks.0.attn1.to_
                    sana        | transformer | qk_norm                | "rms_norm_across_heads" | missing transformer_blocks.0.attn1.norm_
                    sana15      | transformer | qk_norm                | null    | unused transformer_blocks.0.attn1.norm_
                    sana15      | transformer | qk_norm                | "rms_norm" | qk_norm is "rms_norm", expected rms_norm_across_heads
                    sana        | transformer | guidance_embeds        | true    | Sana Sprint
                    sana        | transformer | interpolation_scale    | 1.0     | interpolation_scale is 1.0, expected null
                    sana        | transformer | timestep_scale         | 0.001   | timestep_scale is 0.001, expected 1
                    sana        | transformer | out_channels           | 8       | out_channels is 8, expected as in_channels
                    sana        | transformer | in_channels            | 8       | expected as in_channels, 8
                    sana        | transformer | cross_attention_dim    | 7       | cross_attention_dim is 7, expected
                    sana        | transformer | num_cross_attention_heads | 5    | with 5 heads together
                    sana        | transformer | patch_size             | 0       | expected all above 0
                    sana        | vae         | latent_channels        | 2       | not parts of one text-to-image model
                    sana        | vae         | latent_channels        | 3       | the last a multiple of latent_channels 3
                    sana        | vae         | attention_head_dim     | 5       | those that attend of attention_head_dim 5
                    sana        | vae         | encoder_layers_per_block | [1,1,1] | unused encoder.down_blocks.2.1.
                    sana        | vae         | decoder_layers_per_block | [1,1,3] | missing decoder.up_blocks.2.2.
                    sana        | vae         | encoder_layers_per_block | [0,1,2] | expected levels with blocks
                    sana        | vae         | encoder_layers_per_block | [1,1] | encoder_layers_per_block is [1,1], expected 3 whole numbers
                    sana        | vae         | encoder_block_types    | ["ResBlock","ResBlock"] | expected 3 types of blocks
                    sana        | vae         | encoder_block_types    | "SwinBlock" | encoder_block_types is "SwinBlock", expected EfficientViTBlock or ResBlock
                    sana        | vae         | encoder_qkv_multiscales | [[],[],[4]] | expected 3 lists of odd kernel sizes
                    sana        | vae         | encoder_qkv_multiscales | [[],[],[2.5]] | expected 3 lists of odd kernel sizes
                    sana        | vae         | encoder_qkv_multiscales | null | expected 3 lists of odd kernel sizes
                    sana        | vae         | encoder_block_out_channels | 8 | encoder_block_out_channels is 8, expected a list of whole numbers
                    sana        | vae         | decoder_qkv_multiscales | [[],[],[]] | decoder.up_blocks.2.0.attn.to_out.weight is [
                    sana        | vae         | decoder_act_fns        | "relu"  | decoder_act_fns is "relu", expected silu
                    sana        | vae         | decoder_norm_types     | ["batch_norm","rms_norm","rms_norm"] | decoder_norm_types is
                    sana        | vae         | downsample_block_type  | "pixel_unshuffle" | encoder.down_blocks.0.1.conv.weight is [
                    sana        | vae         | upsample_block_type    | "bicubic" | upsample_block_type is "bicubic", expected interpolate or pixel_shuffle
                    sana        | vae         | encoder_out_shortcut   | false   | encoder_out_shortcut is false, expected true
                    sana        | scheduler   | prediction_type        | "epsilon" | prediction_type is "epsilon", expected flow_prediction
                    sana        | scheduler   | use_flow_sigmas        | false   | use_flow_sigmas is false, expected true
                    sana        | scheduler   | flow_shift             | -1      | flow_shift is -1, expected a number above 0
                    sana        | scheduler   | _class_name            | "SCMScheduler" | expected FlowMatchEulerDiscreteScheduler or DPMSolverMultistepScheduler
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
                    sana        | text_encoder   | num_hidden_layers | 4      | missing layers.3.
                    sana        | text_encoder   | num_hidden_layers | 2      | unused layers.2.
                    sana        | text_encoder   | intermediate_size | 8      | layers.0.mlp.
                    sana        | text_encoder   | hidden_size       | 8      | hidden_size 8: not parts of one model
                    sana        | text_encoder   | model_type        | "gemma3_text" | model_type is "gemma3_text", expected gemma2
                    sana        | text_encoder   | hidden_activation | "gelu" | hidden_activation is "gelu", expected gelu_pytorch_tanh
                    sana        | text_encoder   | num_key_value_heads | 3    | text_encoder/config.json: a language model of width 12
                    sana        | text_encoder   | sliding_window    | 128    | sliding_window is 128, expected 300 or more
                    sd35-medium | text_encoder_3 | num_layers        | 1      | unused encoder.block.1.
                    sd35-medium | text_encoder_3 | model_type        | "umt5" | model_type is "umt5", expected t5
                    """)
    void aTextEncoderThatDoesNotFitIsNamedOnceItIsAskedFor(
            String name, String part, String key, String value, String words) throws IOException {
        set(name, part, key, value);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(folder.resolve(name), Golden.placement())) {
            Tensor vector = model.encodeVector("a cat");
            assertThat(vector == null ? 0 : vector.size(1))
                    .isEqualTo(model.denoiser().vectorDim());
            assertThatThrownBy(() -> model.encodeCondition("a cat"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(words)
                    .hasMessageNotContaining("\n");
        }
    }

    /** transformers' own Gemma tokenizers say left, at which diffusers does not look. */
    @Test
    void theSideOfThePaddingDoesNotMatterWhereNothingIsPadded() throws IOException {
        Path sana = folder.resolve("sana");
        try (PointerScope scope = new PointerScope()) {
            Tensor before;
            try (DiffusionModel model = DiffusionModel.load(sana, Golden.placement())) {
                before = model.encodeCondition("a cat").tokens();
            }
            set("sana", "tokenizer", "padding_side", "\"left\"");
            try (DiffusionModel model = DiffusionModel.load(sana, Golden.placement())) {
                assertClose(model.encodeCondition("a cat").tokens(), before, 0, 0);
            }
        }
    }

    @Test
    void aSanaWithoutItsGemmaTellsTheImageAlone() throws IOException {
        Path sana = folder.resolve("sana");
        Files.delete(sana.resolve("text_encoder/config.json"));
        try (DiffusionModel model = DiffusionModel.load(sana, Golden.placement())) {
            assertThat(model.encodeVector("a cat")).isNull();
            assertThat(model.denoiser().vectorDim()).isZero();
            assertThatThrownBy(() -> model.encodeCondition("a cat"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("no text_encoder/config.json")
                    .hasMessageContaining("set recap.text: none");
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
                .resolve(List.of("scheduler", "tokenizer").contains(part) ? part + "_config.json" : "config.json");
        ObjectMapper json = JsonMapper.builder()
                .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // of a DPM-Solver
                .build();
        ObjectNode config = (ObjectNode) json.readTree(file.toFile());
        config.set(key, json.readTree(value));
        json.writeValue(file.toFile(), config);
    }
}
