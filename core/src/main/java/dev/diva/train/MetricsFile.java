package dev.diva.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.engine.Engine;
import dev.diva.engine.Gpu;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * {@code metrics.jsonl}: one line a step in full precision. A resumed run first drops the lines of steps that it will do again, and a
 * last line that a killed run cut short.
 */
public final class MetricsFile implements TrainListener {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final Path file;

    /** Opens the file of a run that continues at this step. */
    public MetricsFile(Path file, long firstStep) {
        this.file = file;
        if (Files.exists(file)) {
            dropFrom(firstStep);
        }
    }

    @Override
    public void stepDone(StepRecord step) {
        ObjectNode line = JSON.createObjectNode();
        line.put("step", step.step()).put("loss", step.loss());
        var losses = line.putArray("losses");
        step.losses().forEach(losses::add);
        step.penalties().forEach(line::put);
        line.put("gradNorm", step.gradNorm()).put("lr", step.lr());
        line.put("images", step.images()).put("imagesPerSecond", step.imagesPerSecond());
        line.put("rssBytes", Engine.residentBytes());
        if (Gpu.peakBytes() > 0) {
            line.put("gpuPeakBytes", Gpu.peakBytes());
        }
        try {
            Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private void dropFrom(long firstStep) {
        try {
            List<String> kept = new ArrayList<>();
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                if (line.endsWith("}") && JSON.readTree(line).required("step").asLong() < firstStep) {
                    kept.add(line);
                }
            }
            AtomicFile.writeString(file, kept.stream().map(line -> line + "\n").collect(Collectors.joining()));
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be continued: " + e.getMessage(), e);
        }
    }
}
