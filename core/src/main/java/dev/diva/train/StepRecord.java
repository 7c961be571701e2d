package dev.diva.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What happened in a step.
 *
 * @param step counted from 0
 * @param losses of each draw in order
 * @param penalties what the gradient came from beside them, by name, each the mean over the step
 * @param gradNorm before clipping
 * @param lr rate of this step
 * @param otherRates those of parameters with a rate of their own, by what their names begin with; 0 where they do not learn
 * @param seconds that the step took
 * @param stepImages images of this step
 */
public record StepRecord(
        long step,
        List<Double> losses,
        Map<String, Double> penalties,
        double gradNorm,
        double lr,
        Map<String, Double> otherRates,
        double seconds,
        long stepImages) {
    public StepRecord {
        losses = List.copyOf(losses);
        penalties = Collections.unmodifiableMap(new LinkedHashMap<>(penalties));
        otherRates = Collections.unmodifiableMap(new LinkedHashMap<>(otherRates));
    }

    /** Of a step with one rate. */
    public StepRecord(
            long step,
            List<Double> losses,
            Map<String, Double> penalties,
            double gradNorm,
            double lr,
            double seconds,
            long stepImages) {
        this(step, losses, penalties, gradNorm, lr, Map.of(), seconds, stepImages);
    }

    /** Every rate by the name that records have for it: {@code lr}, and {@code lr/} before the others'. */
    Map<String, Double> rates() {
        Map<String, Double> rates = new LinkedHashMap<>();
        rates.put("lr", lr);
        otherRates.forEach((name, rate) -> rates.put("lr/" + name, rate));
        return rates;
    }

    /** Mean over the draws. */
    public double loss() {
        return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }

    /** Seen so far. */
    public long images() {
        return (step + 1) * stepImages;
    }

    /** Speed of this step. */
    public double imagesPerSecond() {
        return stepImages / seconds;
    }
}
