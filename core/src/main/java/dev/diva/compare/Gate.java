package dev.diva.compare;

import dev.diva.BadInputException;
import dev.diva.NearestName;
import dev.diva.eval.suite.Suite;
import java.util.List;

/**
 * What a method may lose at most.
 *
 * @param dataset a data set of the suite
 * @param metric of its cells
 * @param maxLoss percentage points
 */
public record Gate(String dataset, String metric, double maxLoss) {
    /**
     * A method at a gate.
     *
     * @param loss points below the untouched model, mean over the seeds; NaN when the method has no such score
     */
    public record Passage(Gate gate, double loss) {
        private static final double ROUNDING = 1e-9;

        /** Whether it loses more than it may. */
        public boolean isTooMuch() {
            return loss > gate.maxLoss + ROUNDING;
        }
    }

    /**
     * Reads {@code DATASET.METRIC=POINTS}; names of data sets may have points of their own.
     *
     * @throws IllegalArgumentException when it is something else
     */
    public static Gate parse(String text) {
        int equals = text.lastIndexOf('=');
        int point = equals < 0 ? -1 : text.lastIndexOf('.', equals);
        try {
            double loss = Double.parseDouble(text.substring(equals + 1));
            if (point > 0 && point + 1 < equals && loss >= 0 && loss < Double.POSITIVE_INFINITY) {
                return new Gate(text.substring(0, point), text.substring(point + 1, equals), loss);
            }
        } catch (NumberFormatException e) {
            // told below, as all that is no gate
        }
        throw new IllegalArgumentException(
                "expected DATASET.METRIC=POINTS with points of at least 0, for instance imagenet1k.acc1=1.0");
    }

    /**
     * Refuses a data set that the suite does not have.
     *
     * @throws BadInputException with the nearest name
     */
    public void requireIn(List<Suite.DataEntry> datasets) {
        List<String> names = datasets.stream().map(Suite.DataEntry::name).toList();
        if (!names.contains(dataset)) {
            throw new BadInputException("--max-loss " + this + ": the suite has no data set " + dataset + "; nearest: "
                    + NearestName.of(dataset, names));
        }
    }

    /**
     * Refuses a metric that no cell of the data set has.
     *
     * @throws BadInputException with the metrics that there are
     */
    public void requireIn(Scores scores) {
        List<String> names = scores.metricsOf(dataset);
        if (!names.contains(metric)) {
            throw new BadInputException("--max-loss " + this + ": no cell has the metric " + metric + "; those of "
                    + dataset + ": " + (names.isEmpty() ? "none" : String.join(", ", names)));
        }
    }

    @Override
    public String toString() {
        return dataset + "." + metric + "=" + maxLoss;
    }
}
