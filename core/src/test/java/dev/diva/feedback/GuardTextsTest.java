package dev.diva.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.diva.engine.Tensors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** Closed forms in three dimensions: texts along the first two axes. */
class GuardTextsTest {
    private static final double SCALE = Math.log(3); // of cosines 1 and 0 the softmax is 3/4 and 1/4
    private static final float[] TEXTS = {1, 0, 0, 0, 1, 0};
    private static final float[] BEFORE = {1, 0, 0};

    /** Cosines change by 0.6 - 1 and 0.48 - 0: 2 (3/4 0.16 + 1/4 0.2304). */
    @Test
    void weighsTheChangeByWhatTheUntouchedClipFindsInTheImage() {
        assertThat(penalty(0.6f, 0.48f, 0.64f)).isCloseTo(2 * (0.75 * 0.16 + 0.25 * 0.2304), within(1e-6));
    }

    /** Length that moves from the third axis to its other side is seen by no text. */
    @Test
    void isFreeWhereNoTextPoints() {
        assertThat(penaltyFrom(new float[] {0.6f, 0, 0.8f}, 0.6f, 0, -0.8f)).isZero();
    }

    private static double penalty(float... now) {
        return penaltyFrom(BEFORE, now);
    }

    private static double penaltyFrom(float[] before, float... now) {
        try (PointerScope scope = new PointerScope();
                GuardTexts texts = new GuardTexts(Tensors.of(TEXTS, 2, 3), SCALE, 2)) {
            Tensor penalty = texts.penalty(Tensors.of(now, 1, 3), Tensors.of(before, 1, 3));
            return penalty.item().toDouble();
        }
    }
}
