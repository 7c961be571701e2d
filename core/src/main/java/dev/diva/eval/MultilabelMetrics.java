package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Mean average precision with CLIP_benchmark's definition. */
public final class MultilabelMetrics {
    private MultilabelMetrics() {}

    /**
     * Mean over the classes of the average precision; a class without positives counts as 0.
     *
     * @param scores [samples, classes]
     * @param present [samples, classes]
     */
    public static double meanAveragePrecision(float[][] scores, boolean[][] present) {
        if (scores.length == 0 || scores.length != present.length) {
            throw new BadInputException(scores.length + " samples with " + present.length + " label rows");
        }
        int numClasses = scores[0].length;
        for (int row = 0; row < present.length; row++) {
            if (present[row].length != numClasses) {
                throw new BadInputException(
                        "sample " + row + ": " + present[row].length + " labels, expected " + numClasses);
            }
            ClassificationMetrics.requireNumbers(scores[row], row);
        }
        return IntStream.range(0, numClasses)
                .mapToDouble(c -> averagePrecision(scores, present, c))
                .average()
                .orElseThrow();
    }

    private static double averagePrecision(float[][] scores, boolean[][] present, int c) {
        int[] order = IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer row) -> -scores[row][c]))
                .mapToInt(Integer::intValue)
                .toArray();
        double sum = 0;
        int positives = 0;
        for (int rank = 0; rank < order.length; rank++) {
            if (present[order[rank]][c]) {
                positives++;
                sum += (double) positives / (rank + 1);
            }
        }
        return sum / Math.max(positives, 1);
    }
}
