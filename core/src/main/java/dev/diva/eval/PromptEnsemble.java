package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A vector per class from several prompts, as CLIP_benchmark builds it. Vectors are kept by the content of the text tower and the words:
 * models before and after a repair of their vision tower, and data sets of the same classes, encode their prompts once.
 */
public final class PromptEnsemble {
    private static final String SLOT = "{c}";
    private static final int PROMPTS_AT_ONCE = 256;

    private record Key(String textTower, List<String> classNames, List<String> templates) {}

    private final Map<Key, float[][]> known = new HashMap<>();

    /** The benchmarks fill a template by Python's format, to which every brace has a meaning; here {c} alone has one. */
    static void requireSlot(String template, String place) {
        String rest = template.replace(SLOT, "");
        int brace = rest.replace('}', '{').indexOf('{');
        if (brace >= 0) {
            throw new BadInputException(place + ": template \"" + template + "\" has \"" + rest.substring(brace)
                    + "\"; the only slot is {c}, without a format, and no other braces");
        }
        if (!template.contains(SLOT)) {
            throw new BadInputException(place + ": template \"" + template + "\" has no slot {c} for the class name");
        }
    }

    /** Unit vectors [classes, width]: each prompt normalised, their mean, normalised. */
    public float[][] classVectors(ImageTextEncoder encoder, List<String> classNames, List<String> templates) {
        if (classNames.isEmpty() || templates.isEmpty()) {
            throw new BadInputException(classNames.size() + " classes and " + templates.size()
                    + " templates; expected at least one of each");
        }
        templates.forEach(template -> requireSlot(template, "templates"));
        Key key = new Key(encoder.textTower(), List.copyOf(classNames), List.copyOf(templates));
        return known.computeIfAbsent(key, k -> compute(encoder, k.classNames, k.templates));
    }

    private static float[][] compute(ImageTextEncoder encoder, List<String> classNames, List<String> templates) {
        float[][] vectors = new float[classNames.size()][];
        int classesAtOnce = Math.max(1, PROMPTS_AT_ONCE / templates.size());
        for (int from = 0; from < vectors.length; from += classesAtOnce) {
            int to = Math.min(vectors.length, from + classesAtOnce);
            List<String> prompts = new ArrayList<>();
            for (String className : classNames.subList(from, to)) {
                templates.forEach(template -> prompts.add(template.replace(SLOT, className)));
            }
            float[][] rows = Vectors.units(encoder.texts(prompts));
            for (int c = from; c < to; c++) {
                int first = (c - from) * templates.size();
                vectors[c] = Vectors.unit(mean(Arrays.copyOfRange(rows, first, first + templates.size())));
            }
        }
        return vectors;
    }

    private static float[] mean(float[][] rows) {
        float[] mean = new float[rows[0].length];
        for (int i = 0; i < mean.length; i++) {
            double sum = 0;
            for (float[] row : rows) {
                sum += row[i];
            }
            mean[i] = (float) (sum / rows.length);
        }
        return mean;
    }
}
