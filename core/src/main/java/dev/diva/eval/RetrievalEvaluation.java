package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Retrieval over all captions of one set, of one or more models; tested at the first k, both ways. */
public final class RetrievalEvaluation implements SetEvaluation {
    private static final int CAPTIONS_AT_ONCE = 4096;

    private final CaptionSet set;
    private final List<Integer> ks;
    private final List<Result> results = new ArrayList<>();

    /**
     * A comparison still without models.
     *
     * @param ks list of k for recall@k
     */
    public RetrievalEvaluation(CaptionSet set, List<Integer> ks) {
        if (ks.isEmpty() || ks.stream().anyMatch(k -> k < 1)) {
            throw new BadInputException("recall@k for k " + ks + ", expected numbers from 1");
        }
        this.set = set;
        this.ks = List.copyOf(ks);
    }

    private static final class Run {
        private final ImageTextEncoder encoder;
        private final ImageEmbeddings images;
        private final List<float[]> imageVectors = new ArrayList<>();
        private final List<String> captions = new ArrayList<>();
        private final List<float[]> textVectors = new ArrayList<>();
        private final List<Integer> imageOfText = new ArrayList<>();
        private final List<String> imageNames = new ArrayList<>();
        private final List<String> texts = new ArrayList<>();
        private int numImages;
        private int numSilent;

        Run(ImageTextEncoder encoder) {
            this.encoder = encoder;
            this.images = new ImageEmbeddings(encoder, imageVectors::add);
        }

        void add(CaptionedImage image) {
            images.add(image.image());
            imageNames.add(image.image().name());
            for (String caption : image.captions()) {
                captions.add(caption);
                texts.add(caption);
                imageOfText.add(numImages);
            }
            numImages++;
            numSilent += image.captions().isEmpty() ? 1 : 0;
            if (captions.size() >= CAPTIONS_AT_ONCE) {
                encodeCaptions();
            }
        }

        private void encodeCaptions() {
            textVectors.addAll(Arrays.asList(encoder.texts(List.copyOf(captions))));
            captions.clear();
        }

        /** Ranks count from 0, the best. */
        void describe(RetrievalMetrics metrics, Scores scores) {
            for (int t = 0; t < texts.size(); t++) {
                String caption = texts.get(t);
                String image = imageNames.get(imageOfText.get(t));
                int rank = metrics.imageRank()[t];
                scores.sample(() -> captionRecord(caption, image, rank));
            }
            for (int i = 0; i < imageNames.size(); i++) {
                if (metrics.textRank()[i] < Integer.MAX_VALUE) {
                    String image = imageNames.get(i);
                    int rank = metrics.textRank()[i];
                    scores.sample(() -> imageRecord(image, rank));
                }
            }
        }

        private static Map<String, Object> captionRecord(String caption, String image, int rankOfImage) {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("caption", caption);
            record.put("image", image);
            record.put("rankOfImage", rankOfImage);
            return record;
        }

        private static Map<String, Object> imageRecord(String image, int rankOfCaption) {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("image", image);
            record.put("rankOfCaption", rankOfCaption);
            return record;
        }

        RetrievalMetrics finish() {
            images.finish();
            if (!captions.isEmpty()) {
                encodeCaptions();
            }
            return RetrievalMetrics.of(
                    textVectors.toArray(float[][]::new),
                    imageVectors.toArray(float[][]::new),
                    imageOfText.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    @Override
    public Result add(ImageTextEncoder encoder) {
        Run run = new Run(encoder);
        set.readCaptions(run::add);
        if (run.numImages == 0) {
            throw Losses.nothingLeft(set.name(), set.warnings());
        }
        RetrievalMetrics metrics = run.finish();
        Scores scores = new Scores();
        for (int k : ks) {
            describe("image_retrieval_recall@" + k, metrics.imageRank(), k, scores);
            describe("text_retrieval_recall@" + k, metrics.textRank(), k, scores);
        }
        run.describe(metrics, scores);
        int first = ks.get(0);
        scores.answers("image_retrieval_recall@" + first, hits(metrics.imageRank(), first));
        scores.answers("text_retrieval_recall@" + first, hits(metrics.textRank(), first));
        List<String> warnings = new ArrayList<>(set.warnings());
        if (run.numSilent > 0) {
            warnings.add(set.name() + ": " + run.numSilent + " of " + run.numImages
                    + " images have no caption; in text_retrieval_recall they count as not found");
        }
        Result result = scores.result(encoder.name(), set.name(), warnings);
        results.add(result);
        return result;
    }

    private static void describe(String name, int[] ranks, int k, Scores scores) {
        scores.putShare(name, RetrievalMetrics.within(ranks, k), ranks.length);
    }

    @Override
    public Evaluation finish() {
        return Evaluation.of("retrieval", results);
    }

    private static boolean[] hits(int[] ranks, int k) {
        boolean[] hits = new boolean[ranks.length];
        for (int i = 0; i < hits.length; i++) {
            hits[i] = ranks[i] < k;
        }
        return hits;
    }
}
