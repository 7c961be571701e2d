package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.List;

/** A vector per class from several prompts, as CLIP_benchmark builds it. */
public final class PromptEnsemble {
    private static final String SLOT = "{c}";

    private PromptEnsemble() {}

    static void requireSlot(String template, String place) {
        if (!template.contains(SLOT)) {
            throw new BadInputException(place + ": template \"" + template + "\" has no slot {c} for the class name");
        }
    }

    /** Unit vectors [classes, width]: each prompt normalised, their mean, normalised. */
    public static float[][] classVectors(ImageTextEncoder encoder, List<String> classNames, List<String> templates) {
        if (classNames.isEmpty() || templates.isEmpty()) {
            throw new BadInputException(classNames.size() + " classes and " + templates.size()
                    + " templates; expected at least one of each");
        }
        templates.forEach(template -> requireSlot(template, "templates"));
        float[][] vectors = new float[classNames.size()][];
        for (int c = 0; c < vectors.length; c++) {
            String className = classNames.get(c);
            float[][] prompts = Vectors.units(encoder.texts(templates.stream()
                    .map(template -> template.replace(SLOT, className))
                    .toList()));
            float[] mean = new float[prompts[0].length];
            for (int i = 0; i < mean.length; i++) {
                double sum = 0;
                for (float[] prompt : prompts) {
                    sum += prompt[i];
                }
                mean[i] = (float) (sum / prompts.length);
            }
            vectors[c] = Vectors.unit(mean);
        }
        return vectors;
    }
}
