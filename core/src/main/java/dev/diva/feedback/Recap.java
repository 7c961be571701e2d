package dev.diva.feedback;

import dev.diva.clip.VisionTokens;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;

/** The visual dense recap: which of a tower's tokens enter the condition. */
public interface Recap {
    /**
     * The pooled token first, then what was chosen of the local ones.
     *
     * @param tokens normed and projected
     * @param draws where random choices come from
     * @return [batch, {@link #numTokens} / {@link #projectedTo}, width]
     */
    Tensor select(VisionTokens tokens, BatchDraws draws);

    /** Condition tokens that the projection makes of each selected token. */
    default long projectedTo() {
        return 1;
    }

    /** Condition tokens that a tower of so many patches gives, the pooled one included. */
    long numTokens(long patches);
}
