package dev.diva.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LinearProbeTest {
    private static final float[][] CORNERS = {{1, 0}, {2, 0.1f}, {0, 1}, {0.1f, 3}};
    private static final int[] LABELS = {0, 0, 1, 1};

    @Test
    @Tag("golden")
    void tenFullBatchesGiveTheLogitsOfTorch() {
        Golden golden = Golden.of("linear-probe");
        JsonNode recipe = golden.json("case.json");
        try (PointerScope scope = new PointerScope()) {
            float[][] features = rows(golden.input("features"));
            float[] bias = Tensors.toFloats(golden.input("bias"));
            float[] labels = Tensors.toFloats(golden.input("labels").to(ScalarType.Float));
            int[] classes = new int[labels.length];
            Arrays.setAll(classes, i -> (int) labels[i]);
            LinearProbe probe = LinearProbe.train(
                    rows(golden.input("weight")),
                    bias,
                    features,
                    classes,
                    new LinearProbe.Settings(
                            recipe.required("epochs").asInt(),
                            features.length,
                            recipe.required("lr").asDouble(),
                            recipe.required("weight_decay").asDouble(),
                            0));
            float[][] expected = rows(golden.expected("logits"));
            for (int i = 0; i < features.length; i++) {
                Close.assertClose(
                        probe.logits(features[i]),
                        expected[i],
                        0,
                        recipe.required("tolerance_abs_fp32").asDouble());
            }
        }
    }

    private static float[][] rows(Tensor tensor) {
        float[] values = Tensors.toFloats(tensor);
        int width = (int) tensor.size(1);
        float[][] rows = new float[(int) tensor.size(0)][];
        Arrays.setAll(rows, i -> Arrays.copyOfRange(values, i * width, (i + 1) * width));
        return rows;
    }

    @Test
    void separableFeaturesAreSeparatedAndTheSameSeedGivesTheSameBits() {
        LinearProbe.Settings settings = new LinearProbe.Settings(20, 2, 0.1, 0, 7);
        LinearProbe probe = LinearProbe.train(CORNERS, LABELS, 2, settings);
        assertThat(probe.predict(CORNERS)).containsExactly(LABELS);
        assertThat(LinearProbe.train(CORNERS, LABELS, 2, settings).logits(CORNERS[1]))
                .containsExactly(probe.logits(CORNERS[1]));
    }

    @Test
    void shotsTakeKOfEachClass() {
        int[] labels = {0, 1, 0, 1, 0, 1, 1};
        int[] rows = LinearProbe.shots(labels, 2, 2, 5);
        assertThat(Arrays.stream(rows).map(row -> labels[row]).sorted().toArray())
                .containsExactly(0, 0, 1, 1);
        assertThat(LinearProbe.shots(labels, 2, 2, 5)).containsExactly(rows);
        assertThatThrownBy(() -> LinearProbe.shots(labels, 2, 4, 5))
                .isInstanceOf(BadInputException.class)
                .hasMessage("class 0 has 3 training images, fewer than 4");
    }

    @Test
    void labelOutOfRangeIsNamed() {
        assertThatThrownBy(() -> LinearProbe.train(CORNERS, new int[] {0, 0, 1, 2}, 2, LinearProbe.Settings.DEFAULT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("training sample 3: class index 2");
    }
}
