package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A vector per class from several prompts, as CLIP_benchmark builds it. Vectors are kept by the content of the text tower and the words:
 * models before and after a repair of their vision tower, and data sets of the same classes, encode their prompts once.
 */
public final class PromptEnsemble {
    private static final String SLOT = "{c}";
    private static final int PROMPTS_AT_ONCE = 4096;

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
        int numClasses = classNames.size();
        int numPrompts = Math.multiplyExact(numClasses, templates.size());
        double[][] sums = new double[numClasses][];
        for (int from = 0; from < numPrompts; from += PROMPTS_AT_ONCE) {
            List<String> prompts = new ArrayList<>(); // by template: prompts that begin alike go to the tower together
            for (int i = from; i < Math.min(numPrompts, from + PROMPTS_AT_ONCE); i++) {
                prompts.add(templates.get(i / numClasses).replace(SLOT, classNames.get(i % numClasses)));
            }
            float[][] rows = Vectors.units(encoder.texts(prompts));
            for (int i = 0; i < rows.length; i++) {
                int c = (from + i) % numClasses;
                sums[c] = sum(sums[c], rows[i]);
            }
        }
        float[][] vectors = new float[numClasses][];
        for (int c = 0; c < numClasses; c++) {
            vectors[c] = Vectors.unit(mean(sums[c], templates.size()));
        }
        return vectors;
    }

    private static double[] sum(double[] before, float... row) {
        double[] sum = before == null ? new double[row.length] : before;
        for (int i = 0; i < row.length; i++) {
            sum[i] += row[i];
        }
        return sum;
    }

    private static float[] mean(double[] sum, int count) {
        float[] mean = new float[sum.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sum[i] / count);
        }
        return mean;
    }
}
