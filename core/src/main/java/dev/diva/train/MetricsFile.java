package dev.diva.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;

/**
 * {@code metrics.jsonl}: one line a step in full precision. A resumed run first drops the lines of steps that it will do again, and a
 * last line that a killed run cut short.
 */
public final class MetricsFile implements TrainListener {
    private final JsonLines lines;

    /** Opens the file of a run that continues at this step. */
    public MetricsFile(Path file, long firstStep) {
        this.lines = new JsonLines(file);
        lines.keep(step -> step < firstStep);
    }

    @Override
    public void stepDone(StepRecord step) {
        ObjectNode line = JsonLines.line(step.step()).put("loss", step.loss());
        var losses = line.putArray("losses");
        step.losses().forEach(losses::add);
        step.penalties().forEach(line::put);
        line.put("gradNorm", step.gradNorm());
        step.rates().forEach(line::put);
        line.put("images", step.images()).put("imagesPerSecond", step.imagesPerSecond());
        MemoryUse.now().forEach(line::put);
        lines.append(line);
    }
}
