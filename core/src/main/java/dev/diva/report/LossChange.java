package dev.diva.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How the loss of a run has changed: single steps differ by their noise levels more than training changes them, so the first and the last tenth of
 * the steps are averaged. Steps in which the projection learnt alone are left out where there are others.
 *
 * @param first mean of the first tenth
 * @param last mean of the last tenth
 * @param averaged steps of a tenth, at least 1
 * @param from first step of those that count
 * @param to last step
 * @param projectionSteps first steps of the run, which trained the projection alone
 */
public record LossChange(double first, double last, int averaged, long from, long to, long projectionSteps) {
    private static final int PARTS = 10;

    /**
     * That of a run's {@code metrics.jsonl}, with the key {@code train.projectionSteps} of its recipe.
     *
     * @return nothing for a folder without steps
     */
    public static Optional<LossChange> read(Path run) {
        Path metrics = run.resolve("metrics.jsonl");
        return Files.isRegularFile(metrics)
                ? of(MetricsReader.lines(metrics), projectionSteps(run.resolve("recipe.yaml")))
                : Optional.empty();
    }

    private static long projectionSteps(Path recipe) {
        try {
            return Files.isRegularFile(recipe)
                    ? new YAMLMapper()
                            .readTree(Files.readString(recipe))
                            .path("train")
                            .path("projectionSteps")
                            .asLong()
                    : 0;
        } catch (JsonProcessingException e) {
            return 0; // shown as it is; whoever resumes the run is told
        } catch (IOException e) {
            throw new BadInputException(recipe + ": cannot be read: " + e.getMessage(), e);
        }
    }

    static Optional<LossChange> of(List<JsonNode> lines, long projectionSteps) {
        List<JsonNode> steps = lines.stream()
                .filter(line ->
                        line.path("step").isNumber() && line.path("loss").isNumber())
                .toList();
        List<JsonNode> counted = steps.stream()
                .filter(line -> line.path("step").asLong() >= projectionSteps)
                .toList();
        List<JsonNode> all = counted.isEmpty() ? steps : counted;
        if (all.isEmpty()) {
            return Optional.empty();
        }
        int averaged = Math.max(1, all.size() / PARTS);
        return Optional.of(new LossChange(
                mean(all, 0, averaged),
                mean(all, all.size() - averaged, all.size()),
                averaged,
                all.get(0).path("step").asLong(),
                all.get(all.size() - 1).path("step").asLong(),
                projectionSteps));
    }

    private static double mean(List<JsonNode> lines, int from, int to) {
        return IntStream.range(from, to)
                .mapToDouble(i -> lines.get(i).path("loss").asDouble())
                .average()
                .orElseThrow();
    }

    /** Which steps are averaged, and which are not. */
    public String steps() {
        String means = averaged == 1 ? "first and last" : "means of the first and last " + averaged;
        return means + " of steps " + from + " to " + to
                + (projectionSteps > 0 && from >= projectionSteps
                        ? "; before, the projection learnt alone"
                        : projectionSteps > 0 ? ", in which the projection learnt alone" : "");
    }

    /** In a line. */
    public String line() {
        return String.format(Locale.ROOT, "loss %.5f -> %.5f, %s", first, last, steps());
    }
}
