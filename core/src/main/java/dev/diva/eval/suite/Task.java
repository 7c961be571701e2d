package dev.diva.eval.suite;

import dev.diva.BadInputException;
import dev.diva.TextFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What is asked of a data set. */
public enum Task {
    MMVP("mmvp"),
    ZEROSHOT("zeroshot_classification"),
    RETRIEVAL("zeroshot_retrieval"),
    PROBE("linear_probe");

    private final String recordName;

    Task(String recordName) {
        this.recordName = recordName;
    }

    /** Name in records, CLIP_benchmark's where it has one. */
    public String recordName() {
        return recordName;
    }

    /** Whether images are compared with texts. */
    public boolean needsTexts() {
        return this != PROBE;
    }

    /** Name in a suite file. */
    String suiteName() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Task named(String name, String place) {
        return Arrays.stream(values())
                .filter(task -> task.suiteName().equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInputException(
                        place + ": unknown task \"" + name + "\", expected mmvp, zeroshot, retrieval or probe"));
    }

    /** What a folder is made for. */
    static List<Task> of(Path folder, boolean hasCaptions) {
        if (Files.exists(folder.resolve("Questions.csv"))) {
            return List.of(MMVP);
        }
        Path type = folder.resolve("dataset_type.txt");
        boolean isRetrieval = hasCaptions
                || (Files.exists(type) && TextFile.read(type).strip().equalsIgnoreCase("retrieval"));
        return List.of(isRetrieval ? RETRIEVAL : ZEROSHOT);
    }
}
