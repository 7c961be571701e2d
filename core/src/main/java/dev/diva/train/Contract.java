package dev.diva.train;

import dev.diva.engine.Engine;
import dev.diva.engine.Gpu;
import dev.diva.engine.GpuMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * What is about to happen, said before the first step.
 *
 * @param learning parameters by part of the model
 * @param frozen numbers that do not learn, by part
 * @param effectiveBatch images that one update sees
 * @param steps of the whole run
 * @param firstStep where this process starts
 * @param residentBytes memory with everything loaded
 * @param predictedBytes what comes on top at least: gradients and optimiser state
 * @param gpu what its allocator has of the GPU with everything loaded; empty on a processor
 * @param predictedSeconds of a step
 */
public record Contract(
        Map<String, Long> learning,
        Map<String, Long> frozen,
        long effectiveBatch,
        long steps,
        long firstStep,
        long residentBytes,
        long predictedBytes,
        Optional<GpuMemory> gpu,
        double predictedSeconds) {
    private static final double GIB = 1 << 30;

    /** @param part of the model that a parameter of that name belongs to */
    static Contract of(
            RunPlan plan,
            long firstStep,
            UnaryOperator<String> part,
            Map<String, Long> frozen,
            double predictedSeconds) {
        Map<String, Long> learning = new TreeMap<>();
        for (Map.Entry<String, Tensor> parameter : plan.parameters().entrySet()) {
            learning.merge(part.apply(parameter.getKey()), parameter.getValue().numel(), Long::sum);
        }
        long copies = 1L + plan.optimizer().moments();
        return new Contract(
                learning,
                frozen,
                (long) plan.sharding().batch() * plan.sharding().accumulation(),
                plan.settings().steps(),
                firstStep,
                Engine.residentBytes(),
                copies
                        * Float.BYTES
                        * learning.values().stream().mapToLong(Long::longValue).sum(),
                Gpu.memory(),
                predictedSeconds);
    }

    /** Lines for a person. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        learning.forEach((part, count) -> lines.add(String.format(Locale.ROOT, "learns   %,14d  %s", count, part)));
        frozen.forEach((part, count) -> {
            if (count > 0) {
                lines.add(String.format(Locale.ROOT, "frozen   %,14d  %s", count, part));
            }
        });
        lines.add("batch    " + effectiveBatch + " images a step, " + steps + " steps"
                + (firstStep == 0 ? "" : ", from step " + firstStep));
        lines.add(String.format(
                Locale.ROOT,
                "memory   %.2f GiB loaded, %.2f GiB for gradients and optimiser, activations on top",
                residentBytes / GIB,
                predictedBytes / GIB));
        gpu.ifPresent(there -> lines.add(String.format(
                Locale.ROOT,
                "gpu      %.2f GiB of tensors loaded, %.2f GiB reserved",
                there.allocatedBytes() / GIB,
                there.reservedBytes() / GIB)));
        lines.add(String.format(Locale.ROOT, "time     about %.2g s a step", predictedSeconds));
        return lines;
    }
}
