package dev.diva.eval;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Zero-shot classification of one or more models on one set; every later model is tested against the first. With one label an image
 * only its rank is kept; with several, all scores.
 */
public final class ZeroShotEvaluation implements SetEvaluation {
    private static final float LOGIT_SCALE = 100; // CLIP_benchmark's constant, whatever the model's own
    private static final Bootstrap MULTILABEL_BOOTSTRAP = new Bootstrap(200, 0);

    private final ClassificationSet set;
    private final PromptEnsemble prompts;
    private final List<Result> results = new ArrayList<>();

    public ZeroShotEvaluation(ClassificationSet set) {
        this(set, new PromptEnsemble());
    }

    /** @param prompts class vectors that several evaluations share */
    public ZeroShotEvaluation(ClassificationSet set, PromptEnsemble prompts) {
        this.set = set;
        this.prompts = prompts;
    }

    /** Takes what a model says of one image. */
    interface Receiver {
        /**
         * In the order of the set.
         *
         * @param logits one per class
         */
        void image(LabelledImage image, float[] logits);
    }

    @Override
    public Result add(ImageTextEncoder encoder) {
        BitSet seen = new BitSet();
        Scores scores = set.isMultilabel() ? severalLabels(encoder, seen) : oneLabel(encoder, seen);
        Result result = scores.result(encoder.name(), set.name(), Losses.of(set, seen));
        results.add(result);
        return result;
    }

    private Scores oneLabel(ImageTextEncoder encoder, BitSet seen) {
        ClassificationMetrics.Collector collector = new ClassificationMetrics.Collector();
        Scores scores = new Scores();
        run(encoder, (image, logits) -> {
            int label = image.labels()[0];
            int rank = collector.add(logits, label);
            seen.set(label);
            List<String> names = set.classNames();
            scores.sample(ClassificationMetrics.sample(image.image().name(), logits, names.get(label), rank, names));
        });
        if (collector.isEmpty()) {
            throw Losses.nothingLeft(set.name(), set.warnings());
        }
        ClassificationMetrics metrics = collector.metrics();
        metrics.describe("", scores);
        metrics.describeClasses(set.classNames(), scores);
        return scores;
    }

    private Scores severalLabels(ImageTextEncoder encoder, BitSet seen) {
        List<float[]> logits = new ArrayList<>();
        List<boolean[]> present = new ArrayList<>();
        run(encoder, (image, row) -> {
            logits.add(row);
            boolean[] flags = flags(image.labels());
            present.add(flags);
            IntStream.range(0, flags.length).filter(c -> flags[c]).forEach(seen::set);
        });
        if (logits.isEmpty()) {
            throw Losses.nothingLeft(set.name(), set.warnings());
        }
        int[] all = new int[logits.size()];
        Arrays.setAll(all, i -> i);
        Scores scores = new Scores();
        scores.put(
                "mean_average_precision",
                meanAveragePrecision(logits, present, all),
                MULTILABEL_BOOTSTRAP.interval(all.length, rows -> meanAveragePrecision(logits, present, rows)));
        return scores;
    }

    private static double meanAveragePrecision(List<float[]> logits, List<boolean[]> present, int[] rows) {
        return MultilabelMetrics.meanAveragePrecision(
                Arrays.stream(rows).mapToObj(logits::get).toArray(float[][]::new),
                Arrays.stream(rows).mapToObj(present::get).toArray(boolean[][]::new));
    }

    private static boolean[] flags(int[] labels) {
        boolean[] flags = new boolean[labels.length];
        for (int c = 0; c < flags.length; c++) {
            flags[c] = labels[c] != 0;
        }
        return flags;
    }

    void run(ImageTextEncoder encoder, Receiver receiver) {
        float[][] classVectors = prompts.classVectors(encoder, set.classNames(), set.templates());
        Deque<LabelledImage> waiting = new ArrayDeque<>();
        ImageEmbeddings embeddings = new ImageEmbeddings(
                encoder, embedding -> receiver.image(waiting.remove(), logits(embedding, classVectors)));
        set.readLabels(image -> {
            waiting.add(image);
            embeddings.add(image.image());
        });
        embeddings.finish();
    }

    private static float[] logits(float[] image, float[][] classVectors) {
        float[] logits = new float[classVectors.length];
        for (int c = 0; c < logits.length; c++) {
            logits[c] = (float) (LOGIT_SCALE * Vectors.dot(image, classVectors[c]));
        }
        return logits;
    }

    @Override
    public Evaluation finish() {
        return Evaluation.of("zeroshot", results);
    }
}
