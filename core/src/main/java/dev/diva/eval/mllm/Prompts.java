package dev.diva.eval.mllm;

import java.util.Arrays;
import java.util.Optional;

/**
 * Whose words ask the questions. The words between {@code USER: <image>\n} and {@code ASSISTANT:} are this package's, the template around
 * them is the model's: {@code vicuna_v1} for LLaVA and lmms-eval, {@code llava_v1} with blanks around the image for VLMEvalKit.
 */
public enum Prompts {
    /** LLaVA's evaluation scripts; the authors' script for MMVP. */
    LLAVA("llava", 1024, 128, 1024),
    /** lmms-eval's tasks. */
    LMMS_EVAL("lmms-eval", 16, 16, 1024),
    /** VLMEvalKit's data sets and its LLaVA. */
    VLMEVALKIT("vlmevalkit", 2048, 2048, 2048);

    static final String SHORT = "\nAnswer the question using a single word or phrase.";
    static final String LETTER = "\nAnswer with the option's letter from the given choices directly.";
    static final String LETTER_CN = "\n请直接回答选项字母。";
    static final String YES_NO = " Please answer yes or no.";

    private final String label;
    private final int pairTokens;
    private final int shortTokens;
    private final int choiceTokens;

    Prompts(String label, int pairTokens, int shortTokens, int choiceTokens) {
        this.label = label;
        this.pairTokens = pairTokens;
        this.shortTokens = shortTokens;
        this.choiceTokens = choiceTokens;
    }

    /** Name on the command line. */
    public String label() {
        return label;
    }

    /** The prompts of that name, if there are any. */
    public static Optional<Prompts> named(String name) {
        return Arrays.stream(values())
                .filter(prompts -> prompts.label.equals(name))
                .findFirst();
    }

    /** Longest answer in tokens. */
    int maxNewTokens(Benchmark benchmark) {
        return switch (benchmark) {
            case MMVP -> pairTokens;
            case MME -> shortTokens;
            case POPE -> Math.max(128, shortTokens);
            case MMBENCH -> choiceTokens;
            case MMBENCH_CN -> this == LMMS_EVAL ? 256 : choiceTokens;
            case WILD -> this == LMMS_EVAL ? 4096 : choiceTokens;
        };
    }
}
