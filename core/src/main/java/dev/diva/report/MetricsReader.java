package dev.diva.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the curves of a run from metrics.jsonl and measures.jsonl. A last line that a killed run cut short is left out. */
final class MetricsReader {
    /** Points of a plot: more than a page is wide would not be seen. */
    static final int POINTS = 600;

    private static final String CHANGE = "towerChange";
    private static final String SCORE = "score";
    private static final ObjectMapper JSON = new ObjectMapper();

    private MetricsReader() {}

    private static Map<String, String> titles(String loss) {
        Map<String, String> titles = new LinkedHashMap<>();
        titles.put("loss", loss);
        titles.put("ownShare", "Share of images whose own condition wins; chance is 1 / batch");
        titles.put("guard", "Guard: penalty for leaving the untouched embedding, weighted");
        titles.put("lr", "Learning rate");
        titles.put("lr/visual_proj", "Learning rate of the projection");
        titles.put("gradNorm", "Gradient norm");
        titles.put("imagesPerSecond", "Images per second");
        titles.put("rssBytes", "Memory, GiB");
        titles.put("gpuPeakBytes", "Peak of the GPU's tensors, GiB");
        titles.put("gpuReservedPeakBytes", "Peak of the GPU's allocator, GiB");
        return titles;
    }

    /**
     * The curves of a run: of its steps, and of what is measured beside its checkpoints.
     *
     * @param loss title of the loss
     */
    static List<Curve> read(Path run, String loss) {
        List<Curve> curves = new ArrayList<>(read(run.resolve("metrics.jsonl"), titles(loss)));
        curves.addAll(read(run.resolve("measures.jsonl"), changes(run.resolve("measures.jsonl"))));
        return curves;
    }

    private static List<Curve> read(Path file, Map<String, String> titles) {
        if (titles.isEmpty() || !Files.isRegularFile(file)) {
            return List.of();
        }
        List<JsonNode> lines = lines(file);
        List<Curve> curves = new ArrayList<>();
        titles.forEach((name, title) -> {
            Curve curve = curve(name, title, lines);
            if (!curve.steps().isEmpty()) {
                curves.add(curve.downsampled(POINTS));
            }
        });
        return curves;
    }

    /** Scores, the change of the whole tower, and of the part that has changed most at the end. */
    private static Map<String, String> changes(Path file) {
        Map<String, String> titles = new LinkedHashMap<>();
        List<JsonNode> lines = Files.isRegularFile(file) ? lines(file) : new ArrayList<>();
        if (lines.stream().anyMatch(line -> line.has(SCORE))) {
            titles.put(SCORE, "Held-out score: pairs of MMVP-VLM, mean over the patterns");
        }
        lines.removeIf(line -> !line.has(CHANGE));
        if (!lines.isEmpty()) {
            titles.put(CHANGE, "Change of the tower: |w - w0| / |w0|");
            lines.get(lines.size() - 1).properties().stream()
                    .filter(entry -> entry.getKey().startsWith(CHANGE + "/"))
                    .max(Comparator.comparingDouble(entry -> entry.getValue().asDouble()))
                    .map(Map.Entry::getKey)
                    .ifPresent(most -> titles.put(
                            most, "Most changed: " + most.substring(CHANGE.length() + 1) + ", |w - w0| / |w0|"));
        }
        return titles;
    }

    private static Curve curve(String name, String title, List<JsonNode> lines) {
        double unit = name.endsWith("Bytes") ? 1L << 30 : 1;
        List<Double> steps = new ArrayList<>();
        List<Double> values = new ArrayList<>();
        for (JsonNode line : lines) {
            if (line.path("step").isNumber() && line.path(name).isNumber()) {
                steps.add(line.path("step").asDouble());
                values.add(line.path(name).asDouble() / unit);
            }
        }
        return new Curve(name, title, steps, values);
    }

    /** The lines of a file of metrics, without a last one that was cut short. */
    static List<JsonNode> lines(Path file) {
        List<JsonNode> lines = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            int number = 0;
            String line = reader.readLine();
            while (line != null) {
                number++;
                String next = reader.readLine();
                parse(file, number, line, next == null).ifPresent(lines::add);
                line = next;
            }
            return lines;
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static Optional<JsonNode> parse(Path file, int number, String line, boolean last) {
        try {
            return line.isBlank() ? Optional.empty() : Optional.of(JSON.readTree(line));
        } catch (JsonProcessingException e) {
            if (last) {
                return Optional.empty();
            }
            throw new BadInputException(file + ": line " + number + " is not JSON: " + e.getOriginalMessage(), e);
        }
    }
}
