package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.report.RunCost;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StudyTableTest {
    /** Mean 2, standard deviation 1, n 3: half width 4.303 / sqrt(3) = 2.484. */
    @Test
    void intervalIsStudentsOverTheSeeds() {
        assertThat(StudyTable.change(1, 2, 3)).isEqualTo("+2.0 [-0.5, +4.5]");
    }

    @Test
    void singleValueHasNoInterval() {
        assertThat(StudyTable.change(-1.25)).isEqualTo("-1.3");
    }

    /** Half of two pairs right, then both in each of two seeds: 0 or 50 or 100 points by the pairs that are drawn. */
    @Test
    void tableHasChangesResampledPairsAndPatterns() {
        StudyTable table = new StudyTable(scores(0.5, true, false), List.of(1L, 2L));
        table.add(Variant.ANCHORED, 2, scores(1, true, true), new RunCost(400, 19_200, 0.02, 1.5e9));
        table.add(Variant.ANCHORED, 1, scores(1, true, true), new RunCost(400, 19_200, 0.04, 1e9));
        assertThat(table.toString())
                .contains("| untouched | | 50.0 | ")
                .contains("| anchored | 2 | +50.0 [+50.0, +50.0] | ")
                .contains(" | [+0.0, +100.0] | 108 | 1.5 |")
                .contains("| Count | 50.0 | +50.0 [+50.0, +50.0] |");
        assertThat(table.titles()).startsWith("clip", "recipe", "seed", "pairs").endsWith("Count", "seconds", "GB");
        assertThat(table.csv("clip").stream().map(row -> String.join(" ", row)))
                .containsExactly(
                        "clip untouched  50.0000" + " 0.0000".repeat(7) + " 50.0000  ",
                        "clip anchored 1 100.0000" + " 0.0000".repeat(7) + " 100.0000 144 1.00",
                        "clip anchored 2 100.0000" + " 0.0000".repeat(7) + " 100.0000 72 1.50");
    }

    private static WorldScores.Summary scores(double pairs, Boolean... right) {
        return new WorldScores.Summary(pairs, 0, 0, 0, 0, 0, 0, 0, Map.of("Count", pairs), List.of(right));
    }
}
