package dev.diva.world.pretrain;

import dev.diva.data.SampleOrder;
import dev.diva.train.MicroBatch;
import dev.diva.train.MicroBatches;
import java.util.Arrays;

/** Batches of captioned scenes in an order that follows from the seed; a batch names its scenes by their index. */
final class SceneBatches implements MicroBatches {
    private final CaptionedScenes scenes;
    private final SampleOrder order;
    private final int batch;

    SceneBatches(CaptionedScenes scenes, long seed, int batch) {
        this.scenes = scenes;
        this.order = new SampleOrder(scenes.count(), seed, true);
        this.batch = batch;
    }

    @Override
    public MicroBatch at(long position) {
        int[] indices = new int[batch];
        for (int i = 0; i < batch; i++) {
            indices[i] = order.index(position * batch + i);
        }
        return MicroBatch.of(Arrays.stream(indices).mapToObj(Integer::toString).toList(), scenes.pixels(indices));
    }

    /** The index of each scene of a batch. */
    static int[] indices(MicroBatch batch) {
        return batch.names().stream().mapToInt(Integer::parseInt).toArray();
    }
}
