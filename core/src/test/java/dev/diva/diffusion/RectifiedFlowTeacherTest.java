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

/** FLUX.1 and Stable Diffusion 3 as whole teachers against diffusers. */
@Tag("golden")
class RectifiedFlowTeacherTest {
    @ParameterizedTest
    @ValueSource(strings = {"flux1-dev", "flux1-schnell", "sd35-medium", "sd3-medium"})
    void aPromptIsWhatDiffusersEncodes(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(golden.file("."), Golden.placement())) {
            for (Map.Entry<String, JsonNode> prompt :
                    golden.json("case.json").get("prompts").properties()) {
                String words = prompt.getValue().asText();
                Tensor pooled = golden.expected(prompt.getKey() + ".pooled");
                assertClose(model.encodeVector(words), pooled, 0, golden.tolerance());
                if (golden.expected().info(prompt.getKey() + ".states") != null) { // of the first tokens
                    Tensor states = golden.expected(prompt.getKey() + ".states");
                    Condition told = model.encodeCondition(words);
                    // transformers' own T5 is off by 1.1e-5 from the same in fp64
                    assertClose(told.tokens().narrow(1, 0, states.size(1)), states, 0, 4 * golden.tolerance());
                    assertClose(told.vector(), pooled, 0, golden.tolerance());
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"flux1-dev", "flux1-schnell", "sd35-medium", "sd3-medium"})
    void predictionAndGradientsAreThoseOfDiffusers(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                DiffusionModel model = DiffusionModel.load(golden.file("."), Golden.placement())) {
            Tensor vector = golden.input("vector").clone().set_requires_grad(true);
            Teachers.Result result = Teachers.differentiate(
                    golden.input("states"),
                    golden.input("noise"),
                    leaf -> model.denoiser()
                            .predict(golden.input("zt"), golden.input("levels"), new Condition(leaf, vector)));
            assertClose(result.prediction(), golden.expected("prediction"), 0, golden.tolerance());
            assertClose(result.loss().to(ScalarType.Float), golden.expected("loss"), 0, golden.tolerance());
            assertCloseToLargest(result.gradient(), golden.expected("gradient.states"), 1e-3, 1e-6);
            assertCloseToLargest(vector.grad(), golden.expected("gradient.vector"), 1e-3, 1e-6);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"flux1-dev", "flux1-schnell", "sd35-medium", "sd3-medium"})
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
        }
    }
}
