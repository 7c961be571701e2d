package dev.diva.eval;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Percentile intervals of a statistic over resampled questions; the same seed gives the same interval.
 *
 * @param resamples draws of the whole set with replacement
 */
public record Bootstrap(int resamples, long seed) {
    /** 1,000 resamples, seed 0. */
    public static final Bootstrap DEFAULT = new Bootstrap(1000, 0);

    public Bootstrap {
        if (resamples < 1) {
            throw new IllegalArgumentException("resamples " + resamples + ", expected at least 1");
        }
    }

    /** The interval of the mean. */
    public Interval mean(double[] values) {
        return interval(
                values.length,
                rows -> Arrays.stream(rows)
                        .mapToDouble(row -> values[row])
                        .average()
                        .orElseThrow());
    }

    /** The interval of the mean of a table of which rows (seeds) and columns (questions) are both a sample: each is resampled. */
    public Interval meanOfTable(double[][] values) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        int columns = values[0].length;
        double[] means = new double[resamples];
        int[] drawn = new int[values.length];
        for (int n = 0; n < resamples; n++) {
            Arrays.setAll(drawn, row -> random.nextInt(values.length));
            double sum = 0;
            for (int i = 0; i < columns; i++) {
                int column = random.nextInt(columns);
                for (int row : drawn) {
                    sum += values[row][column];
                }
            }
            means[n] = sum / columns / values.length;
        }
        return percentiles(means);
    }

    /** The interval of the sum of the means of several strata, each resampled by itself. */
    public Interval sumOfMeans(List<double[]> strata) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        double[] sums = new double[resamples];
        for (int n = 0; n < resamples; n++) {
            for (double[] values : strata) {
                double sum = 0;
                for (int i = 0; i < values.length; i++) {
                    sum += values[random.nextInt(values.length)];
                }
                sums[n] += sum / values.length;
            }
        }
        return percentiles(sums);
    }

    /** The interval of the mean of {@code second - first}, question by question. */
    public Interval pairedDifference(double[] first, double[] second) {
        if (first.length != second.length) {
            throw new IllegalArgumentException(first.length + " and " + second.length + " values, expected pairs");
        }
        double[] differences = new double[first.length];
        Arrays.setAll(differences, i -> second[i] - first[i]);
        return mean(differences);
    }

    /** The interval of any statistic of a set of row numbers; resamples on which it is NaN are left out. */
    public Interval interval(int rows, ToDoubleFunction<int[]> statistic) {
        if (rows < 1) {
            throw new IllegalArgumentException("no rows to resample");
        }
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        double[] values = new double[resamples];
        int[] drawn = new int[rows];
        for (int n = 0; n < resamples; n++) {
            for (int i = 0; i < rows; i++) {
                drawn[i] = random.nextInt(rows);
            }
            values[n] = statistic.applyAsDouble(drawn);
        }
        return percentiles(values);
    }

    private static Interval percentiles(double[] values) {
        double[] sorted = Arrays.stream(values)
                .filter(value -> !Double.isNaN(value))
                .sorted()
                .toArray();
        double tail = (1 - Interval.LEVEL) / 2;
        return new Interval(quantile(sorted, tail), quantile(sorted, 1 - tail));
    }

    /** Linear between the order statistics, as NumPy's default. */
    static double quantile(double[] sorted, double share) {
        if (sorted.length == 0) {
            return Double.NaN;
        }
        double position = share * (sorted.length - 1);
        int below = (int) Math.floor(position);
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }
}
