package dev.diva.feedback;

import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;

/** Which noise levels of a rectified flow are drawn. */
@FunctionalInterface
public interface FlowLevels {
    /** A level from 0 (clean) to 1 (noise) for each image of a batch, fp32 [batch]. */
    Tensor sample(BatchDraws draws);
}
