package dev.diva.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;

/** {@code measures.jsonl} and TensorBoard: what takes too long to be measured in every step, beside each checkpoint. */
final class MeasuresFile implements TrainListener {
    private final JsonLines lines;
    private final TensorBoardFile events;
    private final Supplier<Map<String, Double>> measures;

    /**
     * Opens the file of a run that continues at this step.
     *
     * @param measures by name, of the parameters as they are
     */
    MeasuresFile(Path file, long firstStep, TensorBoardFile events, Supplier<Map<String, Double>> measures) {
        this.lines = new JsonLines(file);
        this.events = events;
        this.measures = measures;
        lines.keep(step -> step <= firstStep);
    }

    @Override
    public void checkpointWritten(long step, Path folder) {
        write(step, measures.get());
    }

    /** Writes values that were measured at a step, by name. */
    void write(long step, Map<String, Double> values) {
        if (!values.isEmpty()) {
            ObjectNode line = JsonLines.line(step);
            values.forEach(line::put);
            lines.append(line);
            events.values(step, values);
        }
    }
}
