package dev.diva.feedback;

import dev.diva.clip.VisionTokens;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;

/** Every token: MetaCLIP and DFN at 224 pixels in the paper. */
record AllTokens() implements Recap {
    @Override
    public Tensor select(VisionTokens tokens, BatchDraws draws) {
        return tokens.all();
    }

    @Override
    public long numTokens(long patches) {
        return 1 + patches;
    }
}
