package dev.diva.segment.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Pairs against all that there are. */
class AssignmentTest {
    @Test
    void theSumIsTheLeastOfAllChoices() {
        Random random = new Random(1);
        for (int i = 0; i < 200; i++) {
            int queries = 1 + random.nextInt(6);
            int targets = 1 + random.nextInt(6);
            float[][] cost = new float[queries][targets];
            for (float[] row : cost) {
                for (int t = 0; t < targets; t++) {
                    row[t] =
                            i % 2 == 0 ? random.nextFloat() * 20 - 10 : random.nextInt(3); // with ties every other time
                }
            }
            List<Assignment.Pair> pairs = Assignment.of(cost);
            assertThat(pairs).hasSize(Math.min(queries, targets));
            assertThat(pairs.stream().map(Assignment.Pair::query))
                    .doesNotHaveDuplicates()
                    .isSorted();
            assertThat(pairs.stream().map(Assignment.Pair::target)).doesNotHaveDuplicates();
            double sum = pairs.stream()
                    .mapToDouble(pair -> cost[pair.query()][pair.target()])
                    .sum();
            assertThat(sum).isCloseTo(least(cost, 0, 0, pairs.size()), within(1e-5));
            assertThat(Assignment.of(cost)).isEqualTo(pairs);
        }
    }

    /** Of the queries from one on, with so many pairs still to be made. */
    private static double least(float[][] cost, int query, int taken, int pairs) {
        if (pairs == 0) {
            return 0;
        }
        if (query == cost.length) {
            return Double.POSITIVE_INFINITY;
        }
        double best = least(cost, query + 1, taken, pairs);
        for (int t = 0; t < cost[0].length; t++) {
            if (((taken >> t) & 1) == 0) {
                best = Math.min(best, cost[query][t] + least(cost, query + 1, taken | (1 << t), pairs - 1));
            }
        }
        return best;
    }

    /** As many as SAN has, one target better than another by a step: the pairs are known. */
    @Test
    void hundredQueriesFindTheirTargets() {
        float[][] cost = new float[100][20];
        for (int q = 0; q < 100; q++) {
            for (int t = 0; t < 20; t++) {
                cost[q][t] = q == 99 - 3 * t ? -1 : (q * 7 + t * 13) % 11 * 0.1f;
            }
        }
        assertThat(Assignment.of(cost))
                .allSatisfy(pair -> assertThat(pair.query()).isEqualTo(99 - 3 * pair.target()));
    }
}
