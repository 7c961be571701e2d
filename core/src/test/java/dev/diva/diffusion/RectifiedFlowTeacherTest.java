package dev.diva.diffusion;

import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** FLUX.1, Sana and Stable Diffusion 3 as whole teachers against diffusers. */
@Tag("golden")
class RectifiedFlowTeacherTest {
    @ParameterizedTest
    @ValueSource(strings = {"flux1-dev", "flux1-schnell", "sana", "sana15", "sd35-medium", "sd3-medium"})
    void aPromptIsWhatDiffusersEncodes(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(golden.file("."), Golden.placement())) {
            for (Map.Entry<String, JsonNode> prompt :
                    golden.json("case.json").get("prompts").properties()) {
                String words = prompt.getValue().asText();
                requireSame(model.encodeVector(words), golden, prompt.getKey() + ".pooled");
                if (has(golden, prompt.getKey() + ".states")) { // of the first tokens
                    Tensor states = golden.expected(prompt.getKey() + ".states");
                    Condition told = model.encodeCondition(words);
                    // transformers' own T5 is off by 1.1e-5 from the same in fp64
                    assertClose(told.tokens().narrow(1, 0, states.size(1)), states, 0, 4 * golden.tolerance());
                    requireSame(told.vector(), golden, prompt.getKey() + ".pooled");
                }
            }
        }
    }

    /** diffusers pads Sana's prompts and masks the padding. */
    @ParameterizedTest
    @ValueSource(strings = {"sana", "sana15"})
    void aPromptWithoutPaddingTellsWhatAMaskedOneDoes(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(golden.file("."), Golden.placement())) {
            Tensor zt = golden.input("zt");
            for (Map.Entry<String, JsonNode> prompt :
                    golden.json("case.json").get("prompts").properties()) {
                Condition told =
                        model.encodeCondition(prompt.getValue().asText()).repeat(zt.size(0));
                assertThat(told.tokens().size(1))
                        .isEqualTo(golden.expected(prompt.getKey() + ".states").size(1));
                assertClose(
                        model.denoiser().predict(zt, golden.input("levels"), told),
                        golden.expected(prompt.getKey() + ".prediction"),
                        0,
                        4 * golden.tolerance());
            }
        }
    }

    /** A tensor that a case may do without, where there is none. */
    private static void requireSame(Tensor actual, Golden golden, String name) {
        if (has(golden, name)) {
            assertClose(actual, golden.expected(name), 0, golden.tolerance());
        } else {
            assertThat(actual).isNull();
        }
    }

    private static boolean has(Golden golden, String name) {
        return golden.expected().info(name) != null;
    }

    @ParameterizedTest
    @ValueSource(strings = {"flux1-dev", "flux1-schnell", "sana", "sana15", "sd35-medium", "sd3-medium"})
    void predictionAndGradientsAreThoseOfDiffusers(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(golden.file("."), Golden.placement())) {
            Tensor vector = has(golden, "gradient.vector")
                    ? golden.input("vector").clone().set_requires_grad(true)
                    : null;
            Teachers.Result result = Teachers.differentiate(
                    golden.input("states"),
                    golden.input("noise"),
                    leaf -> model.denoiser()
                            .predict(golden.input("zt"), golden.input("levels"), new Condition(leaf, vector)));
            assertClose(result.prediction(), golden.expected("prediction"), 0, golden.tolerance());
            assertClose(result.loss().to(ScalarType.Float), golden.expected("loss"), 0, golden.tolerance());
            assertCloseToLargest(result.gradient(), golden.expected("gradient.states"), 1e-3, 1e-6);
            if (vector != null) {
                assertCloseToLargest(vector.grad(), golden.expected("gradient.vector"), 1e-3, 1e-6);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"flux1-dev", "flux1-schnell", "sana", "sana15", "sd35-medium", "sd3-medium"})
    void levelsAndLatentAreThoseOfDiffusers(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(golden.file("."), Golden.placement())) {
            FlowSchedule flow = model.flow().orElseThrow();
            float[] levels = Tensors.toFloats(golden.expected("levels"));
            assertThat(model.numTrainTimesteps()).isEqualTo(levels.length);
            for (int i = 0; i < levels.length; i++) {
                assertThat(flow.level(i)).isEqualTo(levels[i]);
            }
            Tensor latent = model.autoencoder().encode(golden.input("pixels"));
            assertClose(latent, golden.expected("latent"), 0, golden.tolerance());
            if (has(golden, "decoded")) {
                assertClose(
                        model.autoencoder().decode(golden.expected("latent")),
                        golden.expected("decoded"),
                        0,
                        golden.tolerance());
            }
        }
    }
}
