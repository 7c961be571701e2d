package dev.diva.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is said of a change, and the figures that it rests on. */
class VerdictTest {
    private static Verdict verdict(int before, int after, double p) {
        return Verdict.ofPairs(
                Score.ofCount(before, 135), Score.ofCount(after, 135), new PairedTest("", "", "", 0, 0, p));
    }

    @Test
    void smallChangeIsNotCalledAGain() {
        assertThat(verdict(49, 58, 0.09))
                .isEqualTo(new Verdict(
                        "9 more pairs of 135; p = 0.09: not distinguishable from chance", Verdict.Tone.UNCLEAR));
    }

    @Test
    void clearLossIsCalledALoss() {
        assertThat(verdict(60, 40, 0.004))
                .isEqualTo(new Verdict("20 fewer pairs of 135; p = 0.004: unlikely to be chance", Verdict.Tone.LOSS));
    }

    @Test
    void onePairIsSingularAndNoneIsSaid() {
        assertThat(verdict(40, 41, 1).words()).startsWith("1 more pair of 135;");
        assertThat(verdict(40, 40, 1).words()).startsWith("As many pairs as before, 40 of 135;");
    }

    @Test
    void roundingNeverMovesPAcrossTheLevel() {
        assertThat(Verdict.pValue(0.0496)).isEqualTo("p = 0.0499");
        assertThat(Verdict.pValue(0.051)).isEqualTo("p = 0.051");
        assertThat(Verdict.pValue(0.0004)).isEqualTo("p < 0.001");
        assertThat(Verdict.pValue(0.37)).isEqualTo("p = 0.37");
    }

    @Test
    void withoutATestTheIntervalsSpeak() {
        Score low = Score.ofCount(20, 135);
        assertThat(Verdict.ofPairs(low, Score.ofCount(24, 135), null).words())
                .isEqualTo("4 more pairs of 135; the intervals overlap");
        assertThat(Verdict.ofPairs(low, Score.ofCount(80, 135), null).tone()).isEqualTo(Verdict.Tone.GAIN);
    }

    /** Closed form: 2 * (1 + 10 + 45) / 1024. */
    @Test
    void exactTestEqualsTheBinomialTail() {
        assertThat(PairedTest.exact("", "", "", 8, 2).p()).isCloseTo(0.109375, within(1e-12));
        assertThat(PairedTest.exact("", "", "", 0, 0).p()).isEqualTo(1);
        assertThat(PairedTest.exact("", "", "", 5, 5).p()).isEqualTo(1);
    }

    /** Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662. */
    @Test
    void wilsonEqualsThePublishedTable() {
        Interval interval = Interval.wilson(81, 263);
        assertThat(interval.low()).isCloseTo(0.2553, within(5e-5));
        assertThat(interval.high()).isCloseTo(0.3662, within(5e-5));
        assertThat(Interval.wilson(0, 20).low()).isEqualTo(0);
    }

    @Test
    void downsamplingKeepsTheMeanAndTheLastStep() {
        List<Double> steps =
                IntStream.rangeClosed(1, 1200).mapToObj(Double::valueOf).toList();
        Curve curve = new Curve("loss", "Loss", steps, steps).downsampled(600);
        assertThat(curve.steps()).hasSize(600).endsWith(1200.0);
        assertThat(curve.mean()).isCloseTo(600.5, within(1e-9));
        assertThat(curve.tableRows()).hasSize(8).startsWith(0).endsWith(599);
    }
}
