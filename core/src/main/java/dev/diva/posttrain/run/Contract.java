package dev.diva.posttrain.run;

import dev.diva.engine.Engine;
import dev.diva.posttrain.recipe.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;

/**
 * What is about to happen, said before the first step.
 *
 * @param groups learning parameters by part of the model
 * @param frozen numbers of the tower that do not learn
 * @param effectiveBatch images that one update sees
 * @param steps of the whole run
 * @param firstStep where this process starts
 * @param residentBytes memory with everything loaded
 * @param predictedBytes what comes on top at least: gradients and optimiser state
 * @param predictedSeconds of a step, from one timed pass through each model
 */
public record Contract(
        Map<String, Long> groups,
        long frozen,
        long effectiveBatch,
        long steps,
        long firstStep,
        long residentBytes,
        long predictedBytes,
        double predictedSeconds) {
    private static final double GIB = 1 << 30;

    static Contract of(TrainingModels models, long firstStep, double predictedSeconds) {
        Recipe recipe = models.recipe();
        Map<String, Long> groups = new TreeMap<>();
        long learning = 0;
        for (Map.Entry<String, Tensor> parameter : models.parameters().entrySet()) {
            groups.merge(group(parameter.getKey()), parameter.getValue().numel(), Long::sum);
            learning += parameter.getValue().numel();
        }
        long tower = models.vision().tensors().values().stream()
                .filter(tensor -> !tensor.requires_grad())
                .mapToLong(Tensor::numel)
                .sum();
        long copies = recipe.train().optimizer() == Recipe.Train.OptimizerName.ADAMW ? 3 : 2;
        return new Contract(
                groups,
                tower,
                (long) recipe.train().batch() * recipe.train().accumulate(),
                recipe.train().steps(),
                firstStep,
                Engine.residentBytes(),
                copies * Float.BYTES * learning,
                predictedSeconds);
    }

    private static String group(String name) {
        if (name.startsWith("visual_proj.")) {
            return "projection";
        }
        if (name.contains(".lora_")) {
            return "tower, adapters";
        }
        return name.contains(".layers.") ? "tower, layers" : "tower, embeddings and head";
    }

    /** Lines for a person. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        groups.forEach((group, count) -> lines.add(String.format(Locale.ROOT, "learns   %,14d  %s", count, group)));
        if (frozen > 0) {
            lines.add(String.format(Locale.ROOT, "frozen   %,14d  tower", frozen));
        }
        lines.add("batch    " + effectiveBatch + " images a step, " + steps + " steps"
                + (firstStep == 0 ? "" : ", from step " + firstStep));
        lines.add(String.format(
                Locale.ROOT,
                "memory   %.2f GiB loaded, %.2f GiB for gradients and optimiser, activations on top",
                residentBytes / GIB,
                predictedBytes / GIB));
        lines.add(String.format(Locale.ROOT, "time     about %.2g s a step", predictedSeconds));
        return lines;
    }
}
