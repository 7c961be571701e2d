package dev.diva.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class MetricsTest {
    private static final double TOLERANCE = 1e-12;
    private static final double FLOAT_TOLERANCE = 1e-7; // the reference takes these means in fp32

    @Test
    @Tag("golden")
    void goldenLogitsGiveTheAccuraciesOfClipBenchmark() {
        ClassificationMetrics metrics =
                ClassificationMetrics.of(matrix("classification.logits"), integers("classification.target"));
        assertThat(metrics.acc1()).isCloseTo(scalar("classification.acc1"), within(TOLERANCE));
        assertThat(metrics.acc5().orElseThrow()).isCloseTo(scalar("classification.acc5"), within(TOLERANCE));
        assertThat(metrics.meanPerClassRecall())
                .isCloseTo(scalar("classification.mean_per_class_recall"), within(TOLERANCE));
    }

    /** With the identity as images, the scores of the texts are their embeddings. */
    @Test
    @Tag("golden")
    void goldenScoresGiveTheRecallsOfClipBenchmark() {
        float[][] texts = matrix("retrieval.scores");
        float[][] images = new float[texts[0].length][texts[0].length];
        for (int i = 0; i < images.length; i++) {
            images[i][i] = 1;
        }
        RetrievalMetrics metrics = RetrievalMetrics.of(texts, images, integers("retrieval.image_of_text"));
        for (int k : new int[] {1, 5, 10}) {
            assertThat(metrics.imageRecall(k))
                    .isCloseTo(scalar("retrieval.image_retrieval_recall@" + k), within(FLOAT_TOLERANCE));
            assertThat(metrics.textRecall(k))
                    .isCloseTo(scalar("retrieval.text_retrieval_recall@" + k), within(FLOAT_TOLERANCE));
        }
    }

    @Test
    void fourClassesHaveNoAcc5() {
        assertThat(ClassificationMetrics.of(new float[][] {{1, 2, 3, 4}}, new int[] {3})
                        .acc5())
                .isEmpty();
    }

    /** Positives at ranks 1 and 3 of class 0: (1 + 2/3) / 2; class 1 has none: 0. */
    @Test
    void averagePrecisionIsTheMeanPrecisionAtThePositives() {
        float[][] scores = {{0.9f, 0}, {0.5f, 1}, {0.1f, 2}};
        boolean[][] present = {{true, false}, {false, false}, {true, false}};
        assertThat(MultilabelMetrics.meanAveragePrecision(scores, present)).isCloseTo(5.0 / 12, within(TOLERANCE));
    }

    @Test
    void classIndexOutOfRangeIsNamed() {
        assertThatThrownBy(() -> ClassificationMetrics.of(new float[][] {{1, 2}}, new int[] {2}))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("class index 2, expected 0..1");
    }

    @Test
    void emptySetIsAnError() {
        assertThatThrownBy(() -> ClassificationMetrics.of(new float[0][], new int[0]))
                .isInstanceOf(BadInputException.class);
    }

    private float[][] matrix(String name) {
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = Golden.of("zeroshot").expected(name);
            float[] values = Tensors.toFloats(tensor);
            int width = (int) tensor.size(1);
            float[][] rows = new float[values.length / width][width];
            for (int i = 0; i < rows.length; i++) {
                System.arraycopy(values, i * width, rows[i], 0, width);
            }
            return rows;
        }
    }

    private int[] integers(String name) {
        try (PointerScope scope = new PointerScope()) {
            float[] values =
                    Tensors.toFloats(Golden.of("zeroshot").expected(name).to(torch.ScalarType.Float));
            int[] integers = new int[values.length];
            for (int i = 0; i < values.length; i++) {
                integers[i] = (int) values[i];
            }
            return integers;
        }
    }

    private double scalar(String name) {
        try (PointerScope scope = new PointerScope()) {
            return Golden.of("zeroshot").expected(name).item_double();
        }
    }
}
