package dev.diva.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.junit.jupiter.api.Test;

/** Whole folders: what is read, and what is said of folders that are none. */
class DiffusionModelTest {
    private static final Path SD21 = Golden.path("sd21");

    @Test
    void folderGivesTheNumbersOfDiffusers() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                DiffusionModel model = DiffusionModel.load(SD21, Placement.cpu(Precision.FP32))) {
            Golden unet = Golden.of("sd21-unet");
            Close.assertCloseToLargest(
                    model.denoiser().predict(unet.input("z_t"), unet.input("timesteps"), unet.input("context_77")),
                    unet.expected("eps_77"),
                    1e-4,
                    1e-4);
            Golden text = Golden.of("text-encoder");
            Close.assertClose(
                    model.encodePrompt("a photo of a ."), text.expected("sd21.empty.last_hidden_state"), 0, 5e-5);
            Close.assertClose(
                    model.encodePrompt("a photo of two red cats on a table."),
                    text.expected("sd21.words.last_hidden_state"),
                    0,
                    5e-5);
            assertThat(model.denoiser().crossAttentionDim()).isEqualTo(32);
            assertThat(model.autoencoder().downscale()).isEqualTo(8);
            assertThat(model.files().stream().map(SD21::relativize).map(Path::toString))
                    .containsExactlyInAnyOrder(
                            "model_index.json",
                            "unet/config.json",
                            "unet/diffusion_pytorch_model.safetensors",
                            "vae/config.json",
                            "vae/diffusion_pytorch_model.safetensors",
                            "scheduler/scheduler_config.json",
                            "text_encoder/config.json",
                            "text_encoder/model.safetensors",
                            "tokenizer/vocab.json",
                            "tokenizer/merges.txt",
                            "tokenizer/tokenizer_config.json",
                            "tokenizer/special_tokens_map.json");
        }
    }
}
