package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.data.DataFile;
import java.nio.file.Path;
import java.util.List;

/** Text files of one entry a line. */
public final class TextLines {
    private TextLines() {}

    /**
     * Class names, stripped. Empty lines at the end are left out; one before counts as a class for the benchmark, whose indices would be
     * others than the writer thought, and is an error.
     */
    public static List<String> classNames(Path file) {
        return classNames(DataFile.of(file));
    }

    static List<String> classNames(DataFile file) {
        return read(file, "give the class names by --classnames or --classes (in a suite: classnames)");
    }

    /** Templates, each with its slot; empty lines as in {@link #classNames}. */
    public static List<String> templates(Path file) {
        return templates(DataFile.of(file));
    }

    static List<String> templates(DataFile file) {
        List<String> templates = read(file, "give the prompts by --templates or --template (in a suite: templates)");
        for (int i = 0; i < templates.size(); i++) {
            PromptEnsemble.requireSlot(templates.get(i), file + " line " + (i + 1));
        }
        return templates;
    }

    /** The one word of a file. */
    static String word(DataFile file, String instead) {
        return file.text(instead).strip();
    }

    private static List<String> read(DataFile file, String instead) {
        List<String> lines =
                file.text(instead).stripTrailing().lines().map(String::strip).toList();
        if (lines.contains("")) {
            throw new BadInputException(file + " line " + (lines.indexOf("") + 1)
                    + ": empty; the benchmarks count it as an entry: delete it");
        }
        return lines;
    }
}
