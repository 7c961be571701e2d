package dev.diva.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.engine.Placement;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** AutoencoderTiny against the numbers of diffusers. */
@Tag("golden")
class AutoencoderTinyTest {
    private static final Placement PLACEMENT = Golden.placement();

    @Test
    void latentsAndImagesEqualDiffusers() {
        Golden golden = Golden.of("autoencoder-tiny");
        double tolerance = golden.tolerance();
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                AutoencoderModel model = AutoencoderModel.load(golden.file("vae"), PLACEMENT)) {
            Autoencoder autoencoder = model.autoencoder();
            Tensor pixels = golden.input("images_u8")
                    .to(ScalarType.Float)
                    .div(new Scalar(127.5))
                    .sub(new Scalar(1));
            Autoencoder.Posterior posterior = autoencoder.posterior(pixels);
            Close.assertCloseToLargest(posterior.mean(), golden.expected("latents"), tolerance, tolerance);
            assertThat(posterior.logVariance()).isNull();
            Tensor latents = autoencoder.encode(pixels);
            Close.assertCloseToLargest(latents, golden.expected("scaled"), tolerance, tolerance);
            Close.assertClose(autoencoder.encode(pixels, latents), latents, 0, 0); // nothing to be sampled
            Tensor scaled =
                    golden.input("latent").mul(new Scalar(autoencoder.shape().scalingFactor()));
            Close.assertCloseToLargest(autoencoder.decode(scaled), golden.expected("decoded"), tolerance, tolerance);
            assertThat(autoencoder.downscale()).isEqualTo((int) (pixels.size(2) / latents.size(2)));
        }
    }

    @Test
    void anotherClassIsNamed(@TempDir Path folder) throws IOException {
        Path vae = Files.createDirectories(folder.resolve("vae"));
        Files.writeString(
                vae.resolve("config.json"), "{\"_class_name\": \"AutoencoderKLQwenImage\", \"act_fn\": \"relu\"}");
        assertThatThrownBy(() -> AutoencoderModel.load(folder, PLACEMENT))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(
                        vae.resolve("config.json") + ": _class_name is \"AutoencoderKLQwenImage\", expected ")
                .hasMessageContaining("AutoencoderTiny");
    }
}
