package dev.diva.diffusion.flux;

import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.diffusion.Condition;
import dev.diva.engine.Activations;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** GenHancer's denoiser against the authors' Flux, with all that happens on the way. */
@Tag("golden")
@ExtendWith(OneThread.class)
class FluxDenoiserTest {
    private static final Placement PLACEMENT = Golden.placement();
    private final Golden golden = Golden.of("genhancer");
    private final double tolerance = golden.tolerance();

    @Test
    void everyStageIsThatOfTheAuthors() {
        try (PointerScope scope = new PointerScope();
                FluxModel model = FluxModel.load(golden.file("denoiser.safetensors"), PLACEMENT, false)) {
            Map<String, Tensor> stages = new HashMap<>();
            FluxDenoiser denoiser = model.denoiser();
            denoiser.predict(
                    latents("denoiser.img"),
                    golden.input("denoiser.t"),
                    condition(),
                    (name, value) -> stages.put(name, value.clone().retainReference()));
            Tensor turns = golden.expected("denoiser.pe").narrow(0, 0, 1);
            assertClose(stages.get("cos"), turns.select(-1, 0).select(-1, 0), 0, 1e-6);
            assertClose(stages.get("sin"), turns.select(-1, 0).select(-1, 1), 0, 1e-6);
            assertCloseToLargest(stages.get("vec"), golden.expected("denoiser.vec"), tolerance, tolerance);
            int depth = denoiser.config().depth();
            for (int i = 0; i < depth + denoiser.config().depthSingle(); i++) {
                Tensor expected = i < depth
                        ? torch.cat(
                                new TensorVector(
                                        golden.expected("denoiser.double." + i + ".txt"),
                                        golden.expected("denoiser.double." + i + ".img")),
                                1)
                        : golden.expected("denoiser.single." + (i - depth));
                assertCloseToLargest(stages.get("block." + i), expected, tolerance, tolerance);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Activations.class)
    void predictionAndGradientsForTokenAndVectorAreThoseOfTheAuthors(Activations activations) {
        Placement placement = new Placement(PLACEMENT.device(), Precision.FP32, activations);
        try (PointerScope scope = new PointerScope();
                FluxModel model = FluxModel.load(golden.file("denoiser.safetensors"), placement, false)) {
            Condition leaf = new Condition(
                    golden.input("denoiser.txt").clone().set_requires_grad(true),
                    golden.input("denoiser.y").clone().set_requires_grad(true));
            Tensor predicted = model.denoiser().predict(latents("denoiser.img"), golden.input("denoiser.t"), leaf);
            assertCloseToLargest(Patches.of(predicted), golden.expected("denoiser.pred"), tolerance, tolerance);
            predicted.square().mean().backward();
            assertCloseToLargest(leaf.tokens().grad(), golden.expected("denoiser.dtxt"), 1e-3, 1e-6);
            assertCloseToLargest(leaf.vector().grad(), golden.expected("denoiser.dy"), 1e-3, 1e-6);
            assertThat(model.parameters()).isEmpty();
            assertThat(model.denoiser().learns()).isFalse();
        }
    }

    @Test
    void whatWasWrittenOrHasNoConfigurationIsReadBack(@TempDir Path folder) throws Exception {
        try (PointerScope scope = new PointerScope();
                FluxModel stored = FluxModel.load(golden.file("denoiser.safetensors"), PLACEMENT, false)) {
            stored.write(folder);
            Tensor before = stored.denoiser().predict(latents("denoiser.img"), golden.input("denoiser.t"), condition());
            try (FluxModel again = FluxModel.load(folder, PLACEMENT, false)) {
                Tensor after =
                        again.denoiser().predict(latents("denoiser.img"), golden.input("denoiser.t"), condition());
                assertClose(after, before, 0, 0);
            }
            Path bare = Files.createDirectories(folder.resolve("bare")).resolve("checkpoint-dit-1.bin");
            Files.copy(golden.file("denoiser.safetensors"), bare);
            try (FluxModel told = FluxModel.load(bare, PLACEMENT, true)) {
                FluxConfig config = told.denoiser().config();
                assertThat(config) // tensors do not tell how a head is split
                        .usingRecursiveComparison()
                        .ignoringFields("axes")
                        .isEqualTo(stored.denoiser().config());
                assertThat(told.parameters())
                        .hasSameSizeAs(told.parameters().keySet())
                        .isNotEmpty();
                assertThat(told.denoiser().learns()).isTrue();
            }
        }
    }

    /** Bounds of torch's own initialisation: weights and biases within 1 / sqrt(inputs), neither of them zero. */
    @Test
    void aNewOneFollowsFromItsSeedAndIsNowhereZero() {
        FluxConfig config = FluxConfig.of(16, 768, 4096, 32, 2, 1, 1);
        try (PointerScope scope = new PointerScope();
                FluxModel one = FluxModel.random(config, 3, PLACEMENT);
                FluxModel same = FluxModel.random(config, 3, PLACEMENT);
                FluxModel other = FluxModel.random(config, 4, PLACEMENT)) {
            for (String name : one.parameters().keySet()) {
                float[] values = Tensors.toFloats(one.parameters().get(name));
                assertThat(Tensors.toFloats(same.parameters().get(name))).isEqualTo(values);
                if (!name.endsWith(".scale")) {
                    assertThat(Tensors.toFloats(other.parameters().get(name))).isNotEqualTo(values);
                }
            }
            float largest = 0;
            for (float value : Tensors.toFloats(one.parameters().get("denoiser.final_layer.linear.bias"))) {
                largest = Math.max(largest, Math.abs(value));
            }
            assertThat(largest).isBetween(0.6f / (float) Math.sqrt(32), 1 / (float) Math.sqrt(32));
        }
    }

    @Test
    void whatDoesNotFitIsSaidInOneLine() {
        try (PointerScope scope = new PointerScope();
                FluxModel model = FluxModel.load(golden.file("denoiser.safetensors"), PLACEMENT, false)) {
            FluxDenoiser denoiser = model.denoiser();
            Tensor t = golden.input("denoiser.t");
            Tensor odd = torch.zeros(2, denoiser.latentChannels(), 5, 4);
            assertThatThrownBy(() -> denoiser.predict(odd, t, condition()))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("latents of 5 x 4 do not split into the denoiser's patches of 2 x 2; take images whose"
                            + " sides are multiples of twice the autoencoder's downscale");
            assertThatThrownBy(() -> denoiser.predict(latents("denoiser.img"), t, golden.input("denoiser.txt")))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("the denoiser takes a condition vector of width " + denoiser.vectorDim()
                            + " beside the tokens, and is told none");
            Condition wide = new Condition(golden.input("denoiser.txt"), torch.zeros(2, denoiser.vectorDim() + 1));
            assertThatThrownBy(() -> denoiser.predict(latents("denoiser.img"), t, wide))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("is told one of width " + (denoiser.vectorDim() + 1));
            assertThatThrownBy(() -> FluxConfig.of(16, 768, 4096, 33, 2, 1, 1))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("hidden_size is 33, expected a multiple of num_heads 2");
            assertThatThrownBy(() -> FluxModel.load(golden.file("inputs.safetensors"), PLACEMENT, false))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("does not fit the model");
        }
    }

    private Condition condition() {
        return new Condition(golden.input("denoiser.txt"), golden.input("denoiser.y"));
    }

    /** Patches as the latents that they were cut from; the rows and columns are told by the last position. */
    private Tensor latents(String name) {
        Tensor patches = golden.input(name);
        Tensor ids = golden.input("denoiser.img_ids");
        long rows = 1 + Tensors.toLongs(ids.select(-1, 1).max())[0];
        return Patches.join(patches, rows, patches.size(1) / rows);
    }
}
