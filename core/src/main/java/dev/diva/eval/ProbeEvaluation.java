package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Linear probes of one or more models on one set: trained on one split, scored on another; every later model is tested against the first. */
public final class ProbeEvaluation implements SetEvaluation {
    private final ClassificationSet train;
    private final ClassificationSet test;
    private final int shots;
    private final LinearProbe.Settings settings;
    private final List<Result> results = new ArrayList<>();

    /** @param shots training images per class; 0 takes all */
    public ProbeEvaluation(ClassificationSet train, ClassificationSet test, int shots, LinearProbe.Settings settings) {
        if (train.isMultilabel() || test.isMultilabel()) {
            throw new BadInputException(test.name() + ": a linear probe needs one class an image");
        }
        this.train = train;
        this.test = test;
        this.shots = shots;
        this.settings = settings;
    }

    private record Features(float[][] rows, int[] labels, List<String> names) {
        static Features of(ClassificationSet set, ImageTextEncoder encoder) {
            List<float[]> rows = new ArrayList<>();
            List<Integer> labels = new ArrayList<>();
            List<String> names = new ArrayList<>();
            ImageEmbeddings embeddings = new ImageEmbeddings(encoder, rows::add);
            set.readLabels(image -> {
                labels.add(image.labels()[0]);
                names.add(image.image().name());
                embeddings.add(image.image());
            });
            embeddings.finish();
            if (rows.isEmpty()) {
                throw Losses.nothingLeft(set.name(), set.warnings());
            }
            return new Features(
                    rows.toArray(float[][]::new),
                    labels.stream().mapToInt(Integer::intValue).toArray(),
                    names);
        }

        BitSet classes() {
            BitSet classes = new BitSet();
            Arrays.stream(labels).forEach(classes::set);
            return classes;
        }

        Features shots(int k, int numClasses, long seed) {
            int[] chosen = LinearProbe.shots(labels, numClasses, k, seed);
            return new Features(
                    Arrays.stream(chosen).mapToObj(row -> rows[row]).toArray(float[][]::new),
                    Arrays.stream(chosen).map(row -> labels[row]).toArray(),
                    Arrays.stream(chosen).mapToObj(names::get).toList());
        }
    }

    @Override
    public Result add(ImageTextEncoder encoder) {
        int numClasses = train.classNames().size();
        Features learned = Features.of(train, encoder);
        if (shots > 0) {
            learned = learned.shots(shots, numClasses, settings.seed());
        }
        LinearProbe probe = LinearProbe.train(learned.rows, learned.labels, numClasses, settings);
        Features asked = Features.of(test, encoder);
        ClassificationMetrics.Collector collector = new ClassificationMetrics.Collector();
        Scores scores = new Scores();
        for (int i = 0; i < asked.rows.length; i++) {
            float[] logits = probe.logits(asked.rows[i]);
            int rank = collector.add(logits, asked.labels[i]);
            String label = test.classNames().get(asked.labels[i]);
            scores.sample(ClassificationMetrics.sample(asked.names.get(i), logits, label, rank, test.classNames()));
        }
        ClassificationMetrics metrics = collector.metrics();
        metrics.describe("lp_", scores);
        metrics.describeClasses(test.classNames(), scores);
        List<String> warnings = new ArrayList<>();
        Losses.of(train, learned.classes()).forEach(loss -> warnings.add("learned from: " + loss));
        Losses.of(test, asked.classes()).forEach(loss -> warnings.add("scored on: " + loss));
        Result result = scores.result(encoder.name(), test.name(), warnings);
        results.add(result);
        return result;
    }

    @Override
    public Evaluation finish() {
        return Evaluation.of("probe", results);
    }
}
