package dev.diva.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a run took, as its {@code metrics.jsonl} tells.
 *
 * @param steps updates of the weights
 * @param images seen, each as often as it was seen
 * @param hours of its steps, without loading and scoring
 * @param peakBytes largest resident memory of its first process at the end of a step
 */
public record RunCost(double steps, double images, double hours, double peakBytes) {
    /** Of two stages that made one result. */
    public RunCost plus(RunCost other) {
        return new RunCost(
                steps + other.steps, images + other.images, hours + other.hours, Math.max(peakBytes, other.peakBytes));
    }

    /**
     * Reads it.
     *
     * @throws BadInputException when the folder has no metrics, or no step in them
     */
    public static RunCost read(Path run) {
        Path file = run.resolve("metrics.jsonl");
        if (!Files.isRegularFile(file)) {
            throw new BadInputException(file + ": no such file; what the run took is read from it");
        }
        double steps = 0;
        double images = 0;
        double seconds = 0;
        double peak = 0;
        for (JsonNode line : MetricsReader.lines(file)) {
            steps = line.path("step").asDouble() + 1;
            images = line.path("images").asDouble();
            seconds += images / steps / line.path("imagesPerSecond").asDouble(Double.NaN);
            peak = Math.max(peak, line.path("rssBytes").asDouble());
        }
        if (steps == 0) {
            throw new BadInputException(file + ": has no step");
        }
        return new RunCost(steps, images, seconds / 3600, peak);
    }
}
