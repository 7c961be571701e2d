package dev.diva.eval;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Text files of one entry a line. */
public final class TextLines {
    private TextLines() {}

    /** The lines, stripped, empty ones left out. */
    public static List<String> read(Path file) {
        try {
            return Files.readAllLines(file, StandardCharsets.UTF_8).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Templates, each with its slot. */
    public static List<String> templates(Path file) {
        List<String> templates = read(file);
        for (int i = 0; i < templates.size(); i++) {
            PromptEnsemble.requireSlot(templates.get(i), file + " line " + (i + 1));
        }
        return templates;
    }
}
