package dev.diva.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Percentage.withPercentage;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    private static final double TOLERANCE = 1e-12;

    /** Newcombe 1998, table I: 81 of 263 and 0 of 20. */
    @Test
    void wilsonGivesTheIntervalsOfNewcombesTable() {
        Interval common = Interval.wilson(81, 263);
        assertThat(common.low()).isCloseTo(0.2553, within(5e-5));
        assertThat(common.high()).isCloseTo(0.3662, within(5e-5));
        Interval none = Interval.wilson(0, 20);
        assertThat(none.low()).isCloseTo(0, within(TOLERANCE));
        assertThat(none.high()).isCloseTo(0.1611, within(5e-5));
    }

    @Test
    void mcNemarOfFiveToNothingIsTwiceTheTail() {
        assertThat(McNemar.exact(5, 0).p()).isCloseTo(2.0 / 32, within(TOLERANCE));
        assertThat(McNemar.exact(60, 0).p()).isCloseTo(Math.pow(2, -59), withPercentage(1e-6));
        assertThat(McNemar.exact(1, 199).p()).isCloseTo(201 * Math.pow(2, -199), withPercentage(1e-6));
        assertThat(McNemar.exact(2, 7).p()).isCloseTo(2.0 * (1 + 9 + 36) / 512, within(TOLERANCE));
    }

    @Test
    void mcNemarWithoutADifferenceIsOne() {
        assertThat(McNemar.exact(0, 0).p()).isEqualTo(1);
        assertThat(McNemar.exact(4, 4).p()).isEqualTo(1);
    }

    @Test
    void mcNemarCountsWhatOnlyOneModelAnswers() {
        McNemar test = McNemar.of(new boolean[] {true, true, false, false}, new boolean[] {true, false, true, true});
        assertThat(test.gained()).isEqualTo(2);
        assertThat(test.lost()).isEqualTo(1);
    }

    /** The mean of n fair coins has a standard error of 0.5 / sqrt(n). */
    @Test
    void bootstrapOfCoinsHasTheWidthOfTheNormalInterval() {
        double[] coins = new double[400];
        for (int i = 0; i < coins.length; i += 2) {
            coins[i] = 1;
        }
        Interval interval = new Bootstrap(4000, 7).mean(coins);
        assertThat(interval.low()).isCloseTo(0.5 - 1.96 * 0.025, within(0.004));
        assertThat(interval.high()).isCloseTo(0.5 + 1.96 * 0.025, within(0.004));
        assertThat(new Bootstrap(4000, 7).mean(coins)).isEqualTo(interval);
    }

    /** Rows -1 and 1, whatever the columns: of two drawn rows a quarter are both the first, a quarter both the second. */
    @Test
    void tableIsResampledByRows() {
        Interval interval = Bootstrap.DEFAULT.meanOfTable(new double[][] {{-1, -1, -1}, {1, 1, 1}});
        assertThat(interval).isEqualTo(new Interval(-1, 1));
    }

    /** Rows alike: what is left is the bootstrap of the columns. 400 coins: 0.5 +- 1.96 * 0.5 / 20. */
    @Test
    void tableIsResampledByColumns() {
        double[] coins = new double[400];
        Arrays.fill(coins, 0, 200, 1);
        Interval interval = new Bootstrap(4000, 7).meanOfTable(new double[][] {coins, coins});
        assertThat(interval.low()).isCloseTo(0.5 - 0.049, within(0.005));
        assertThat(interval.high()).isCloseTo(0.5 + 0.049, within(0.005));
    }

    @Test
    void pairedBootstrapOfAConstantGainHasNoWidth() {
        Interval interval = Bootstrap.DEFAULT.pairedDifference(new double[] {0, 1, 2}, new double[] {0.5, 1.5, 2.5});
        assertThat(interval).isEqualTo(new Interval(0.5, 0.5));
    }

    /** Mean 2, standard deviation 1, three values: 4.302652729911275 is the 97.5 % point of t with two degrees of freedom. */
    @Test
    void intervalOfAMeanIsStudents() {
        Interval interval = Interval.ofMean(1, 2, 3);
        assertThat(interval.low()).isCloseTo(2 - 4.302652729911275 / Math.sqrt(3), within(1e-9));
        assertThat(interval.high()).isCloseTo(2 + 4.302652729911275 / Math.sqrt(3), within(1e-9));
    }

    /** Sheets that cannot be paired: no test, and a warning on the later model that says why. */
    @Test
    void unpairedAnswersAreToldNotPassedOver() {
        Evaluation evaluation = Evaluation.of("t", List.of(result("a", true, false, true), result("b", true, false)));
        assertThat(evaluation.tests()).isEmpty();
        assertThat(evaluation.results().get(0).warnings()).isEmpty();
        assertThat(evaluation.results().get(1).warnings())
                .containsExactly("d: b is not tested against a by questions: 2 answers against 3");
    }

    private static Result result(String model, boolean... sheet) {
        Scores scores = new Scores();
        scores.putShare("accuracy", 1, sheet.length);
        scores.answers("questions", sheet);
        return scores.result(model, "d", List.of());
    }
}
