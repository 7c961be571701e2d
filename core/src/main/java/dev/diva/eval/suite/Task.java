package dev.diva.eval.suite;

import dev.diva.BadInputException;
import dev.diva.data.DataFile;
import dev.diva.eval.mllm.Benchmark;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What is asked of a data set. */
public enum Task {
    MMVP("mmvp"),
    ZEROSHOT("zeroshot_classification"),
    RETRIEVAL("zeroshot_retrieval"),
    PROBE("linear_probe"),
    SEGMENTATION("segmentation"),
    MLLM_MMVP(Benchmark.MMVP),
    MLLM_POPE(Benchmark.POPE),
    MLLM_MME(Benchmark.MME),
    MLLM_MMBENCH(Benchmark.MMBENCH),
    MLLM_MMBENCH_CN(Benchmark.MMBENCH_CN),
    MLLM_WILD(Benchmark.WILD);

    private final String recordName;
    private final Benchmark benchmark; // null for what a CLIP does

    Task(String recordName) {
        this.recordName = recordName;
        this.benchmark = null;
    }

    Task(Benchmark benchmark) {
        this.recordName = "mllm_" + benchmark.label();
        this.benchmark = benchmark;
    }

    /** What a multimodal language model is asked, null for the tasks of a CLIP. */
    Benchmark benchmark() {
        return benchmark;
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
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Task named(String name, String place) {
        return Arrays.stream(values())
                .filter(task -> task.suiteName().equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInputException(place + ": unknown task \"" + name + "\", expected "
                        + Arrays.stream(values()).map(Task::suiteName).collect(Collectors.joining(", "))));
    }

    /** What a folder is made for. */
    static List<Task> of(DataFile folder, boolean hasCaptions) {
        if (!folder.isRemote() && folder.resolve("Questions.csv").exists()) {
            return List.of(MMVP);
        }
        DataFile type = folder.resolve("dataset_type.txt");
        boolean isRetrieval =
                hasCaptions || (type.exists() && type.text("").strip().equalsIgnoreCase("retrieval"));
        return List.of(isRetrieval ? RETRIEVAL : ZEROSHOT);
    }
}
