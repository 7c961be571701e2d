package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Accuracies over logits [samples, classes] with CLIP_benchmark's definitions. */
public final class ClassificationMetrics {
    private final int[] ranks;
    private final int[] labels;
    private final int numClasses;

    private ClassificationMetrics(int[] ranks, int[] labels, int numClasses) {
        this.ranks = ranks;
        this.labels = labels;
        this.numClasses = numClasses;
    }

    /**
     * Ranks each label among its logits.
     *
     * @throws BadInputException for an empty set, a label without a class or a logit that is no number
     */
    public static ClassificationMetrics of(float[][] logits, int[] labels) {
        if (labels.length == 0 || logits.length != labels.length) {
            throw new BadInputException(logits.length + " samples with " + labels.length
                    + " labels; expected a label each, and at least one");
        }
        Collector collector = new Collector();
        for (int i = 0; i < labels.length; i++) {
            collector.add(logits[i], labels[i]);
        }
        return collector.metrics();
    }

    /** Takes logits sample by sample and keeps only the rank of the label. */
    static final class Collector {
        private final IntStream.Builder ranks = IntStream.builder();
        private final IntStream.Builder labels = IntStream.builder();
        private int count;
        private int numClasses;

        /** The rank of the label, 0 for the best. */
        int add(float[] logits, int label) {
            numClasses = logits.length;
            requireLabel(label, numClasses, "sample " + count);
            requireNumbers(logits, count);
            int rank = Vectors.rank(logits, label);
            ranks.add(rank);
            labels.add(label);
            count++;
            return rank;
        }

        boolean isEmpty() {
            return count == 0;
        }

        ClassificationMetrics metrics() {
            return new ClassificationMetrics(
                    ranks.build().toArray(), labels.build().toArray(), numClasses);
        }
    }

    /** Puts the three accuracies under their names with a prefix. */
    void describe(String prefix, Scores scores) {
        scores.putShare(prefix + "acc1", numCorrect(), ranks.length);
        if (numClasses >= 5) {
            scores.putShare(prefix + "acc5", within(5), ranks.length);
        }
        scores.put(
                prefix + "mean_per_class_recall",
                meanPerClassRecall(),
                Bootstrap.DEFAULT.interval(ranks.length, this::meanPerClassRecall));
        scores.answers(prefix + "acc1", answers());
    }

    /** Puts what was right of each class that has images. */
    void describeClasses(List<String> names, Scores scores) {
        int[] images = new int[numClasses];
        int[] right = new int[numClasses];
        for (int i = 0; i < ranks.length; i++) {
            images[labels[i]]++;
            right[labels[i]] += ranks[i] == 0 ? 1 : 0;
        }
        for (int c = 0; c < numClasses; c++) {
            if (images[c] > 0) {
                scores.putClass(names.get(c), new ClassScore(right[c], images[c]));
            }
        }
    }

    /** What was said of one image: its class, the best one, and the rank of its own, 0 for the best. */
    static Supplier<Map<String, Object>> sample(
            String image, float[] logits, String label, int rank, List<String> names) {
        int best = 0;
        for (int c = 1; c < logits.length; c++) {
            best = logits[c] > logits[best] ? c : best;
        }
        String predicted = names.get(best);
        return () -> {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("image", image);
            record.put("class", label);
            record.put("predicted", predicted);
            record.put("rank", rank);
            record.put("correct", rank == 0);
            return record;
        };
    }

    static void requireLabel(int label, int numClasses, String place) {
        if (label < 0 || label >= numClasses) {
            throw new BadInputException(place + ": class index " + label + ", expected 0.." + (numClasses - 1)
                    + " as there are " + numClasses + " class names");
        }
    }

    static void requireNumbers(float[] scores, int row) {
        for (float score : scores) {
            if (Float.isNaN(score)) {
                throw new BadInputException("sample " + row + ": a score is NaN; the model's weights are broken");
            }
        }
    }

    /** Share of samples whose label has the highest logit. */
    public double acc1() {
        return (double) numCorrect() / ranks.length;
    }

    /** Share of samples whose label is among the five highest logits; empty when there are fewer than five classes. */
    public Optional<Double> acc5() {
        return numClasses < 5 ? Optional.empty() : Optional.of((double) within(5) / ranks.length);
    }

    /** Number of samples whose label has the highest logit. */
    public int numCorrect() {
        return within(1);
    }

    /** Number of samples whose label is among the {@code k} highest logits. */
    public int within(int k) {
        int count = 0;
        for (int rank : ranks) {
            count += rank < k ? 1 : 0;
        }
        return count;
    }

    /** Which samples are right. */
    public boolean[] answers() {
        boolean[] answers = new boolean[ranks.length];
        for (int i = 0; i < ranks.length; i++) {
            answers[i] = ranks[i] == 0;
        }
        return answers;
    }

    /** Mean of the share of right samples over the classes that occur. */
    public double meanPerClassRecall() {
        int[] all = new int[ranks.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = i;
        }
        return meanPerClassRecall(all);
    }

    /** The same over some rows, for the bootstrap. */
    public double meanPerClassRecall(int[] rows) {
        int[] seen = new int[numClasses];
        int[] right = new int[numClasses];
        for (int row : rows) {
            seen[labels[row]]++;
            right[labels[row]] += ranks[row] == 0 ? 1 : 0;
        }
        double sum = 0;
        int present = 0;
        for (int c = 0; c < numClasses; c++) {
            if (seen[c] > 0) {
                sum += (double) right[c] / seen[c];
                present++;
            }
        }
        return sum / present;
    }
}
