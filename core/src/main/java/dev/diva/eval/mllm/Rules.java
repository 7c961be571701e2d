package dev.diva.eval.mllm;

import java.util.Arrays;
import java.util.Optional;

/** Whose rules read answers and count them. */
public enum Rules {
    /** LLaVA's scripts and what they hand on to: the authors' judge for MMVP, MME's tool, MMBench's exact matching. */
    LLAVA("llava"),
    /** MME's {@code calculation.py}; as {@link #LLAVA} on the other benchmarks. */
    MME_TOOL("mme-tool"),
    /** lmms-eval. */
    LMMS_EVAL("lmms-eval"),
    /** VLMEvalKit with exact matching, that is without a judge. */
    VLMEVALKIT("vlmevalkit");

    private final String label;

    Rules(String label) {
        this.label = label;
    }

    /** Name on the command line. */
    public String label() {
        return label;
    }

    /** The rules of that name, if there are any. */
    public static Optional<Rules> named(String name) {
        return Arrays.stream(values()).filter(rules -> rules.label.equals(name)).findFirst();
    }
}
