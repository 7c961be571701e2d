package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/** Retrieval over all captions of one set, of one or more models; tested at the first k, both ways. */
public final class RetrievalEvaluation {
    private static final int IMAGES_AT_ONCE = 64;

    private final Webdataset set;
    private final List<Integer> ks;
    private final List<Result> results = new ArrayList<>();
    private final List<RetrievalMetrics> ranks = new ArrayList<>();

    /**
     * A comparison still without models.
     *
     * @param ks list of k for recall@k
     */
    public RetrievalEvaluation(Webdataset set, List<Integer> ks) {
        if (ks.isEmpty() || ks.stream().anyMatch(k -> k < 1)) {
            throw new BadInputException("recall@k for k " + ks + ", expected numbers from 1");
        }
        this.set = set;
        this.ks = List.copyOf(ks);
    }

    private static final class Run {
        private final ImageTextEncoder encoder;
        private final List<EncodedImage> images = new ArrayList<>();
        private final List<String> captions = new ArrayList<>();
        private final List<float[]> imageVectors = new ArrayList<>();
        private final List<float[]> textVectors = new ArrayList<>();
        private final List<Integer> imageOfText = new ArrayList<>();

        Run(ImageTextEncoder encoder) {
            this.encoder = encoder;
        }

        void add(Webdataset.Sample sample) {
            int number = imageVectors.size() + images.size();
            images.add(sample.image());
            sample.text("txt").lines().forEach(caption -> {
                captions.add(caption.replace("\\n", "\n"));
                imageOfText.add(number);
            });
            if (images.size() == IMAGES_AT_ONCE) {
                flush();
            }
        }

        void flush() {
            if (!images.isEmpty()) {
                imageVectors.addAll(Arrays.asList(encoder.images(List.copyOf(images))));
                images.clear();
            }
            if (!captions.isEmpty()) {
                textVectors.addAll(Arrays.asList(encoder.texts(List.copyOf(captions))));
                captions.clear();
            }
        }

        RetrievalMetrics metrics() {
            return RetrievalMetrics.of(
                    textVectors.toArray(float[][]::new),
                    imageVectors.toArray(float[][]::new),
                    imageOfText.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    /** Scores a model; it may be closed afterwards. */
    public Result add(ImageTextEncoder encoder) {
        Run run = new Run(encoder);
        set.read(run::add);
        run.flush();
        RetrievalMetrics metrics = run.metrics();
        Map<String, Double> values = new LinkedHashMap<>();
        Map<String, Interval> intervals = new LinkedHashMap<>();
        for (int k : ks) {
            describe("image_retrieval_recall@" + k, metrics.imageRank(), k, values, intervals);
            describe("text_retrieval_recall@" + k, metrics.textRank(), k, values, intervals);
        }
        Result result = new Result(
                encoder.name(),
                set.folder().toString(),
                values,
                intervals,
                Map.of(),
                null,
                List.of(),
                List.copyOf(new LinkedHashSet<>(set.warnings())));
        results.add(result);
        ranks.add(metrics);
        return result;
    }

    private static void describe(
            String name, int[] ranks, int k, Map<String, Double> values, Map<String, Interval> intervals) {
        int within = RetrievalMetrics.within(ranks, k);
        values.put(name, (double) within / ranks.length);
        intervals.put(name, Interval.wilson(within, ranks.length));
    }

    /** The record so far. */
    public Evaluation finish() {
        List<ModelTest> tests = new ArrayList<>();
        String data = set.folder().toString();
        for (int i = 1; i < results.size(); i++) {
            String first = results.get(0).model();
            String second = results.get(i).model();
            int k = ks.get(0);
            tests.add(new ModelTest(
                    data + " image_retrieval_recall@" + k,
                    first,
                    second,
                    McNemar.of(
                            hits(ranks.get(0).imageRank(), k), hits(ranks.get(i).imageRank(), k))));
            tests.add(new ModelTest(
                    data + " text_retrieval_recall@" + k,
                    first,
                    second,
                    McNemar.of(
                            hits(ranks.get(0).textRank(), k), hits(ranks.get(i).textRank(), k))));
        }
        return new Evaluation("retrieval", List.copyOf(results), tests);
    }

    private static boolean[] hits(int[] ranks, int k) {
        boolean[] hits = new boolean[ranks.length];
        for (int i = 0; i < hits.length; i++) {
            hits[i] = ranks[i] < k;
        }
        return hits;
    }
}
