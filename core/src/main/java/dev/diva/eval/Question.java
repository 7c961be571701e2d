package dev.diva.eval;

import java.util.List;

/**
 * One pair as one model answered it, for the record.
 *
 * @param id question ids of the pair
 * @param images paths relative to the data
 * @param picked the image that each statement picked, 1 or 2
 * @param margins how far each statement preferred its own image, above 0 is right
 * @param sig of {@link MmvpAnswer#sig}, or null where it is not known
 * @param bias of {@link MmvpAnswer#bias}, or null
 */
public record Question(
        String id,
        String pattern,
        List<String> images,
        List<String> statements,
        List<Integer> picked,
        List<Double> margins,
        Double sig,
        Double bias,
        boolean correct) {
    /** Of which only the probabilities are known. */
    public Question(
            String id,
            String pattern,
            List<String> images,
            List<String> statements,
            List<Integer> picked,
            List<Double> margins,
            boolean correct) {
        this(id, pattern, images, statements, picked, margins, null, null, correct);
    }

    static Question of(MmvpSet set, MmvpAnswer answer) {
        MmvpPair pair = answer.pair();
        return new Question(
                pair.ids().get(0) + "-" + pair.ids().get(1),
                pair.pattern(),
                pair.images().stream()
                        .map(image -> set.folder().relativize(image).toString())
                        .toList(),
                pair.statements(),
                List.of(answer.picked(0), answer.picked(1)),
                List.of(answer.margin(0), answer.margin(1)),
                answer.hasLead() ? answer.sig() : null,
                answer.hasLead() ? answer.bias() : null,
                answer.correct());
    }
}
