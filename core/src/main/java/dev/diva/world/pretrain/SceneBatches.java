package dev.diva.world.pretrain;

import dev.diva.data.SampleOrder;
import dev.diva.engine.BatchShard;
import dev.diva.train.MicroBatches;
import dev.diva.train.Sharding;
import java.util.stream.LongStream;

/** Batches of captioned scenes in an order that follows from the seed. */
final class SceneBatches implements MicroBatches<SceneBatch> {
    private final SampleOrder order;
    private final BatchShard shard;

    /** @param sharding says which rows of each batch this process computes */
    SceneBatches(int scenes, long seed, Sharding sharding) {
        this.order = new SampleOrder(scenes, seed, true);
        this.shard = sharding.shard();
    }

    @Override
    public SceneBatch at(long position) {
        long first = position * shard.total() + shard.from();
        return new SceneBatch(LongStream.range(first, first + shard.count())
                .mapToObj(order::index)
                .toList());
    }
}
