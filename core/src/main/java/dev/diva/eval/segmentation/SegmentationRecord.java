package dev.diva.eval.segmentation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.eval.LineLog;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The file of what a model said of a set: what was scored, then the counts of each picture, a JSON line each. A file that is there is
 * continued.
 */
public final class SegmentationRecord implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final LineLog log;
    private final Map<String, PixelCounts> known = new HashMap<>();

    private record Head(String scored) {}

    private record Row(String image, int[] cells) {}

    /**
     * Opens or begins a file.
     *
     * @param scored names model, method and set by all that changes their answers
     * @throws BadInputException when the file is of something else
     */
    public SegmentationRecord(Path file, String scored, int classes) {
        this.log = new LineLog(file, "counts");
        try {
            List<String> lines = log.found();
            if (lines.isEmpty()) {
                log.add(line(new Head(scored)));
            } else {
                read(file, lines, scored, classes);
            }
        } catch (RuntimeException e) {
            log.close();
            throw e;
        }
    }

    private void read(Path file, List<String> lines, String scored, int classes) {
        String before = parsed(file, 1, lines.get(0), Head.class).scored;
        if (!scored.equals(before)) {
            throw new BadInputException(
                    file + ": holds counts of " + before + ", not of " + scored + "; choose another --out");
        }
        for (int i = 1; i < lines.size(); i++) {
            Row row = parsed(file, i + 1, lines.get(i), Row.class);
            if (row.image == null || row.cells == null || !isSound(classes, row.cells)) {
                throw broken(file, i + 1, null);
            }
            known.put(row.image, new PixelCounts(row.cells));
        }
    }

    private static boolean isSound(int classes, int... cells) {
        boolean isSound = cells.length % 3 == 0;
        for (int i = 0; isSound && i < cells.length; i += 3) {
            isSound = cells[i] >= 0
                    && cells[i] < classes
                    && cells[i + 1] >= 0
                    && cells[i + 1] <= classes
                    && cells[i + 2] > 0;
        }
        return isSound;
    }

    private static <T> T parsed(Path file, int number, String line, Class<T> type) {
        try {
            T value = JSON.readValue(line, type);
            if (value != null) {
                return value;
            }
        } catch (JsonProcessingException e) {
            throw broken(file, number, e);
        }
        throw broken(file, number, null);
    }

    private static BadInputException broken(Path file, int number, Exception cause) {
        return new BadInputException(
                file + " line " + number + ": is not what diva writes there; delete the file or choose another --out",
                cause);
    }

    /** Names of the pictures that are counted. */
    public Set<String> images() {
        return Set.copyOf(known.keySet());
    }

    /** The counts of a picture, or null. */
    public PixelCounts of(String image) {
        return known.get(image);
    }

    /** Puts the counts of a picture on disk. */
    public void add(String image, PixelCounts counts) {
        log.add(line(new Row(image, counts.cells())));
        known.put(image, counts);
    }

    private static String line(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of names and numbers can be written", e);
        }
    }

    @Override
    public void close() {
        log.close();
    }
}
