package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.data.ImageEntry;
import java.util.ArrayList;
import java.util.List;

/** Scores models on pairs: a statement picks the image with the higher softmax over the two. */
public final class MmvpScorer {
    private static final String PROMPT = "a photo of ";
    private static final int PAIRS_AT_ONCE = 64;

    private MmvpScorer() {}

    /** Answers of a model to every pair; images are held for a few pairs at a time. */
    public static List<MmvpAnswer> answers(MmvpSet set, ImageTextEncoder encoder) {
        List<MmvpAnswer> answers = new ArrayList<>();
        for (int from = 0; from < set.pairs().size(); from += PAIRS_AT_ONCE) {
            List<MmvpPair> pairs = set.pairs()
                    .subList(from, Math.min(from + PAIRS_AT_ONCE, set.pairs().size()));
            float[][] images = ImageEmbeddings.of(
                    encoder,
                    pairs.stream()
                            .flatMap(pair -> pair.images().stream())
                            .map(ImageEntry::of)
                            .toList());
            float[][] texts = encoder.texts(pairs.stream()
                    .flatMap(pair -> pair.statements().stream())
                    .map(PROMPT::concat)
                    .toList());
            for (int i = 0; i < pairs.size(); i++) {
                answers.add(answer(pairs.get(i), images, texts, 2 * i, encoder.logitScale()));
            }
        }
        return answers;
    }

    private static MmvpAnswer answer(MmvpPair pair, float[][] images, float[][] texts, int row, float logitScale) {
        List<Double> probability = new ArrayList<>();
        List<Double> leads = new ArrayList<>();
        for (int statement = 0; statement < 2; statement++) {
            float[] text = texts[row + statement];
            double lead = Vectors.dot(images[row], text) - Vectors.dot(images[row + 1], text);
            if (Double.isNaN(lead)) {
                throw new BadInputException(
                        "question " + pair.ids().get(statement) + ": the score is NaN; the model's weights are broken");
            }
            leads.add(lead);
            probability.add(1 / (1 + Math.exp(-logitScale * lead)));
        }
        return new MmvpAnswer(pair, List.copyOf(probability), List.copyOf(leads));
    }
}
