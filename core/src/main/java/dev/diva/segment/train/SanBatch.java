package dev.diva.segment.train;

import dev.diva.segment.ClipView;
import dev.diva.train.MicroBatch;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Crops of pictures and what is in them.
 *
 * @param names of the pictures
 * @param pixels normalised and padded, [batch, 3, side, side]
 * @param view what CLIP sees in them, or null where it is to be asked
 * @param targets of each
 * @param masks what sums over masks are divided by: their mean number in the micro-batches of the step, at least 1
 * @param position of the micro-batch in the run
 */
record SanBatch(List<String> names, Tensor pixels, ClipView view, List<Target> targets, double masks, long position)
        implements MicroBatch {}
