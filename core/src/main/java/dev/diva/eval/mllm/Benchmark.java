package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The benchmarks, and where their files lie below a root of data. */
@SuppressWarnings("ImmutableEnumChecker") // the lists are copies
public enum Benchmark {
    /** Multimodal Visual Patterns: 150 pairs of images that CLIP takes for the same. */
    MMVP("mmvp", "mmvp", "MMVP"),
    /** Polling-based object probing: is an object in the image; three samplings of absent objects. */
    POPE("pope", "pope", "POPE"),
    /** MME: 14 subtasks of pairs of yes-no questions. */
    MME("mme", "MME", "mme"),
    /** MMBench dev: multiple choice, right only if right in every rotation of the options. */
    MMBENCH("mmbench", "mmbench", "MMBench"),
    /** The same in Chinese. */
    MMBENCH_CN("mmbench-cn", "mmbench", "MMBench", "mmbench_cn", "mmbench-cn"),
    /** LLaVA-Bench (in the wild): free answers that a judge compares with a reference. */
    WILD("wild", "llava-bench-in-the-wild", "llava-wild", "wild");

    private final String label;
    private final List<String> folders;

    Benchmark(String label, String... folders) {
        this.label = label;
        this.folders = List.of(folders);
    }

    /** Name on the command line and in records. */
    public String label() {
        return label;
    }

    /** The benchmark of that name, if there is one. */
    public static Optional<Benchmark> named(String name) {
        return Arrays.stream(values())
                .filter(benchmark -> benchmark.label.equals(name))
                .findFirst();
    }

    /** Names that {@link #named} knows. */
    public static String names() {
        return Arrays.stream(values()).map(Benchmark::label).collect(Collectors.joining(", "));
    }

    /** The folder of this benchmark: a folder of its usual names below the root, else the root itself. */
    Path folder(Path root) {
        if (!Files.isDirectory(root)) {
            throw new BadInputException(root + ": no such folder; expected the one with the folders of the benchmarks");
        }
        return folders.stream()
                .map(root::resolve)
                .filter(Files::isDirectory)
                .findFirst()
                .orElse(root);
    }

    /**
     * Reads questions and labels.
     *
     * @param root folder that holds the benchmarks' folders, or this benchmark's own folder
     * @throws BadInputException for files that are missing, damaged, or contradict each other
     */
    public QuestionSet read(Path root, Prompts prompts) {
        Path folder = folder(root);
        return switch (this) {
            case MMVP -> MmvpQuestions.read(folder, prompts);
            case POPE -> PopeQuestions.read(folder, prompts);
            case MME -> MmeQuestions.read(folder, prompts);
            case MMBENCH -> MmBenchQuestions.read(folder, false, prompts);
            case MMBENCH_CN -> MmBenchQuestions.read(folder, true, prompts);
            case WILD -> WildQuestions.read(folder, prompts);
        };
    }
}
