package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** One feature of mean 0: the outputs are the class shares plus slope * x, slope = sum(x y) / (sum(x x) + penalty * samples). */
class RidgeClassifierTest {
    private static final float[][] FEATURES = {{-2}, {-1}, {0}, {3}};
    private static final int[] LABELS = {0, 0, 0, 1};

    /** Without penalty class 1 outputs 1/4 + 3/14 x and class 0 the rest, equal at x = 7/6. */
    @Test
    void boundaryIsThatOfLeastSquares() {
        RidgeClassifier probe = RidgeClassifier.fit(FEATURES, LABELS, 2, 0);

        assertThat(probe.predict(new float[][] {{1.16f}, {1.17f}})).containsExactly(0, 1);
    }

    /** A penalty of 7/2 a sample doubles the denominator and so moves the boundary to 7/3. */
    @Test
    void penaltyHalvesTheSlope() {
        RidgeClassifier probe = RidgeClassifier.fit(FEATURES, LABELS, 2, 3.5);

        assertThat(probe.predict(new float[][] {{2.33f}, {2.34f}})).containsExactly(0, 1);
    }

    @Test
    void classWithoutSamplesIsNeverFound() {
        RidgeClassifier probe = RidgeClassifier.fit(FEATURES, LABELS, 3, 0);

        assertThat(probe.predict(FEATURES)).containsExactly(0, 0, 0, 1);
    }
}
