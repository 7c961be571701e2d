package dev.diva.mllm.train;

import dev.diva.train.MicroBatch;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Conversations of one forward pass: the rows that this process computes.
 *
 * @param names where each came from
 * @param rows of this process
 * @param pixels of the rows with an image in their order, fp32 [images, 3, imageSize, imageSize]; null where there is none
 * @param labelled tokens that are learnt in the whole micro-batch
 * @param mismatched rows of the whole micro-batch whose rounds do not add up
 * @param cut rows of the whole micro-batch that were too long
 */
record ConversationBatch(List<String> names, List<Sequence> rows, Tensor pixels, int labelled, int mismatched, int cut)
        implements MicroBatch {
    ConversationBatch {
        names = List.copyOf(names);
        rows = List.copyOf(rows);
    }
}
