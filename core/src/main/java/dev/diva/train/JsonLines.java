package dev.diva.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;

/** A record of a run that grows line by line, each a JSON object with a step. */
record JsonLines(Path file) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A line still without anything but its step. */
    static ObjectNode line(long step) {
        return JSON.createObjectNode().put("step", step);
    }

    void append(ObjectNode line) {
        try {
            Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** Drops the lines of steps that will be done again, and a last line that a killed run cut short. */
    void keep(LongPredicate steps) {
        if (!Files.exists(file)) {
            return;
        }
        try {
            List<String> kept = new ArrayList<>();
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                if (line.endsWith("}")
                        && steps.test(JSON.readTree(line).required("step").asLong())) {
                    kept.add(line);
                }
            }
            AtomicFile.writeString(file, kept.stream().map(line -> line + "\n").collect(Collectors.joining()));
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be continued: " + e.getMessage(), e);
        }
    }
}
