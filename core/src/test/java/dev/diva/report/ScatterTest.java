package dev.diva.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScatterTest {
    private static Scatter of(Scatter.Mark... marks) {
        return new Scatter("id", "title", "note", "x", "y", List.of(marks));
    }

    @Test
    void axesHoldZeroAndTheIntervals() {
        Scatter scatter = of(new Scatter.Mark("a", 3.2, 4, new Interval(-1.5, 9.5), 1));
        assertThat(scatter.upright().ticks()).containsExactly(-2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0);
        assertThat(scatter.upright().at(4)).isCloseTo(0.5, within(1e-12));
        assertThat(scatter.across().ticks()).containsExactly(0.0, 1.0, 2.0, 3.0, 4.0);
        assertThat(scatter.across().at(3.2)).isCloseTo(0.8, within(1e-12));
    }

    @Test
    void allZeroHasAnAxis() {
        Scatter scatter = of(new Scatter.Mark("a", 0, 0, null, 1));
        assertThat(scatter.across().at(0)).isZero();
        assertThat(scatter.across().ticks()).hasSizeGreaterThan(1);
    }

    @Test
    void ticksHaveNoDigitsOfRounding() {
        assertThat(List.of(3 * 0.1, 0.0, -20.0, 1500.0, 0.002))
                .extracting(Scatter.Axis::label)
                .containsExactly("0.3", "0", "-20", "1500", "0.002");
    }
}
