package dev.diva.feedback;

import dev.diva.clip.VisionTokens;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;

/**
 * The pooled token alone, projected to several condition tokens: what the teacher is told then has to be in the token that is compared
 * with texts. Not in the paper.
 *
 * @param count condition tokens
 */
record ClassToken(long count) implements Recap {
    @Override
    public Tensor select(VisionTokens tokens, BatchDraws draws) {
        return tokens.pooled().unsqueeze(1);
    }

    @Override
    public long numTokens(long patches) {
        return count;
    }

    @Override
    public long projectedTo() {
        return count;
    }
}
