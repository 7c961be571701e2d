package dev.diva.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Numbers of the loop.
 *
 * @param groups what learns at which rate: a parameter belongs to the first group that it fits; the last one is for all that are left, and
 *     its schedule has the number of steps and the rate that is told of
 * @param accumulation micro-batches a step
 * @param maxGradNorm where gradients are clipped; NaN for not at all
 * @param checkpointEvery steps between checkpoints
 * @param compactGradients whether gradients are kept in half of their memory where that loses nothing
 */
public record TrainSettings(
        List<ParameterGroup> groups,
        int accumulation,
        double maxGradNorm,
        long checkpointEvery,
        boolean compactGradients) {
    /** One rate for all parameters; gradients stay as they arrive. */
    public TrainSettings(Schedule schedule, int accumulation, double maxGradNorm, long checkpointEvery) {
        this(List.of(new ParameterGroup("", schedule, 0)), accumulation, maxGradNorm, checkpointEvery, false);
    }

    public TrainSettings {
        groups = List.copyOf(groups);
        if (accumulation < 1 || checkpointEvery < 1 || maxGradNorm <= 0) {
            throw new IllegalArgumentException("accumulation " + accumulation + ", checkpointEvery " + checkpointEvery
                    + ", maxGradNorm " + maxGradNorm);
        }
        if (groups.isEmpty() || !groups.get(groups.size() - 1).prefix().isEmpty()) {
            throw new IllegalArgumentException("the last group is to hold all parameters that are left: " + groups);
        }
    }

    /** Steps of the whole run. */
    public long steps() {
        return schedule().totalSteps();
    }

    /** Learning rate that is told of. */
    public double rate(long step) {
        return schedule().rate(step);
    }

    /** Rates of the groups before the last in a step, by what their names begin with; 0 where they do not learn. */
    Map<String, Double> otherRates(long step) {
        Map<String, Double> rates = new LinkedHashMap<>();
        groups.subList(0, groups.size() - 1)
                .forEach(group -> rates.put(
                        group.prefix().replaceFirst("\\.$", ""),
                        group.learns(step) ? group.schedule().rate(step) : 0));
        return rates;
    }

    /** Whether a parameter is changed in a step. */
    public boolean learns(String parameter, long step) {
        return group(parameter).learns(step);
    }

    /** Learning rate of a parameter in a step. */
    public double rate(String parameter, long step) {
        return group(parameter).schedule().rate(step);
    }

    /** Where gradients are clipped, if at all. */
    public OptionalDouble clipping() {
        return Double.isNaN(maxGradNorm) ? OptionalDouble.empty() : OptionalDouble.of(maxGradNorm);
    }

    private Schedule schedule() {
        return groups.get(groups.size() - 1).schedule();
    }

    private ParameterGroup group(String parameter) {
        return groups.stream()
                .filter(group -> parameter.startsWith(group.prefix()))
                .findFirst()
                .orElseThrow();
    }
}
