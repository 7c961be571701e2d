package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Zero-shot classification of one or more models on one set; every later model is tested against the first. */
public final class ZeroShotEvaluation {
    private static final int IMAGES_AT_ONCE = 64;
    private static final float LOGIT_SCALE = 100; // CLIP_benchmark's constant, whatever the model's own

    private final Webdataset set;
    private final List<Result> results = new ArrayList<>();
    private final List<boolean[]> sheets = new ArrayList<>();

    public ZeroShotEvaluation(Webdataset set) {
        this.set = set;
    }

    /** Logits and labels of the images that a model has seen; images themselves are held a batch at a time. */
    static final class Run {
        private final ImageTextEncoder encoder;
        private final float[][] classVectors;
        private final List<EncodedImage> batch = new ArrayList<>();
        final List<float[]> logits = new ArrayList<>();
        final List<int[]> labels = new ArrayList<>();

        Run(ImageTextEncoder encoder, float[][] classVectors) {
            this.encoder = encoder;
            this.classVectors = classVectors;
        }

        void add(EncodedImage image, int... label) {
            batch.add(image);
            labels.add(label);
            if (batch.size() == IMAGES_AT_ONCE) {
                flush();
            }
        }

        void flush() {
            if (batch.isEmpty()) {
                return;
            }
            for (float[] image : encoder.images(List.copyOf(batch))) {
                float[] row = new float[classVectors.length];
                for (int c = 0; c < row.length; c++) {
                    row[c] = (float) (LOGIT_SCALE * Vectors.dot(image, classVectors[c]));
                }
                logits.add(row);
            }
            batch.clear();
        }
    }

    /** Scores a model; it may be closed afterwards. */
    public Result add(ImageTextEncoder encoder) {
        boolean isMultilabel = set.type().equals("multilabel");
        Run run = run(encoder);
        if (run.logits.isEmpty()) {
            throw new BadInputException(set.folder() + ": no samples");
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        Map<String, Interval> intervals = new LinkedHashMap<>();
        float[][] logits = run.logits.toArray(float[][]::new);
        if (isMultilabel) {
            multilabel(run, logits, metrics, intervals);
        } else {
            int[] labels = run.labels.stream().mapToInt(label -> label[0]).toArray();
            ClassificationMetrics scores = ClassificationMetrics.of(logits, labels);
            sheets.add(scores.answers());
            describe(scores, labels.length, metrics, intervals);
        }
        Result result = new Result(
                encoder.name(),
                set.folder().toString(),
                metrics,
                intervals,
                Map.of(),
                null,
                List.of(),
                List.copyOf(new java.util.LinkedHashSet<>(set.warnings())));
        results.add(result);
        return result;
    }

    Run run(ImageTextEncoder encoder) {
        String type = set.type();
        if (!type.equals("classification") && !type.equals("multilabel")) {
            throw new BadInputException(set.folder() + ": dataset_type.txt says " + type
                    + ", expected classification or multilabel; for retrieval use diva eval retrieval");
        }
        List<String> classNames = set.classNames();
        Run run = new Run(encoder, PromptEnsemble.classVectors(encoder, classNames, set.templates()));
        set.read(sample -> {
            int[] label = type.equals("multilabel")
                    ? NpyVector.read(sample.part("npy"), sample.key())
                    : new int[] {label(sample, classNames.size())};
            run.add(sample.image(), label);
        });
        run.flush();
        return run;
    }

    private static int label(Webdataset.Sample sample, int numClasses) {
        String text = sample.text("cls");
        try {
            int label = Integer.parseInt(text);
            ClassificationMetrics.requireLabel(label, numClasses, sample.key());
            return label;
        } catch (NumberFormatException e) {
            throw new BadInputException(sample.key() + ".cls: \"" + text + "\", expected a class index", e);
        }
    }

    private static void describe(
            ClassificationMetrics scores, int total, Map<String, Double> metrics, Map<String, Interval> intervals) {
        metrics.put("acc1", scores.acc1());
        intervals.put("acc1", Interval.wilson(scores.numCorrect(), total));
        scores.acc5().ifPresent(acc5 -> {
            metrics.put("acc5", acc5);
            intervals.put("acc5", Interval.wilson(scores.within(5), total));
        });
        metrics.put("mean_per_class_recall", scores.meanPerClassRecall());
        intervals.put("mean_per_class_recall", Bootstrap.DEFAULT.interval(total, scores::meanPerClassRecall));
    }

    private static void multilabel(
            Run run, float[][] logits, Map<String, Double> metrics, Map<String, Interval> intervals) {
        boolean[][] present = new boolean[logits.length][];
        for (int row = 0; row < present.length; row++) {
            int[] label = run.labels.get(row);
            present[row] = new boolean[label.length];
            for (int c = 0; c < label.length; c++) {
                present[row][c] = label[c] != 0;
            }
        }
        metrics.put("mean_average_precision", MultilabelMetrics.meanAveragePrecision(logits, present));
        intervals.put(
                "mean_average_precision",
                new Bootstrap(200, 0)
                        .interval(
                                logits.length,
                                rows -> MultilabelMetrics.meanAveragePrecision(
                                        Arrays.stream(rows)
                                                .mapToObj(row -> logits[row])
                                                .toArray(float[][]::new),
                                        Arrays.stream(rows)
                                                .mapToObj(row -> present[row])
                                                .toArray(boolean[][]::new))));
    }

    /** The record so far; a set of several labels per image has no paired test. */
    public Evaluation finish() {
        List<ModelTest> tests = new ArrayList<>();
        for (int i = 1; i < sheets.size(); i++) {
            tests.add(new ModelTest(
                    set.folder().toString(),
                    results.get(0).model(),
                    results.get(i).model(),
                    McNemar.of(sheets.get(0), sheets.get(i))));
        }
        return new Evaluation("zeroshot", List.copyOf(results), tests);
    }
}
