package dev.diva.segment.train;

import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.segment.ClipView;
import dev.diva.segment.San;
import dev.diva.segment.TextClasses;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import dev.diva.train.Objective;
import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * SAN's six losses: class, mask and dice of the last block of the side network and of the one before it, each with pairs and points of its
 * own.
 *
 * @param san learns
 * @param learnsPositions whether CLIP's table of positions learns, so that gradients go back through CLIP
 * @param classes unit vectors of the names, [classes, embedding]
 * @param draws points of the micro-batch at a position: they follow from it alone, so that nothing has to be drawn for other processes
 */
record SanObjective(
        San san, boolean learnsPositions, Tensor classes, SanLoss loss, LongFunction<PointReading.Draws> draws)
        implements Objective<SanBatch> {
    private static final List<String> NAMES =
            List.of("loss_ce", "loss_mask", "loss_dice", "loss_ce_0", "loss_mask_0", "loss_dice_0");

    /** Points that follow from seed and position. */
    static LongFunction<PointReading.Draws> seeded(long seed) {
        return position -> {
            RandomStreams streams = new RandomStreams(seed);
            return (rows, points) -> RandomStreams.rand(streams.stream("points " + position), rows, points, 2);
        };
    }

    @Override
    public Losses backward(SanBatch batch, RandomStreams streams, Contribution contribution) {
        int last = san.shape().blocks();
        List<San.Output> outputs = san.forward(
                batch.pixels(),
                view(batch),
                TextClasses.withBackground(classes, san.background()),
                List.of(last, last - 1));
        List<SanLoss.Parts> parts = loss.of(outputs, batch.targets(), batch.masks(), draws.apply(batch.position()));
        SanLoss.Parts main = parts.get(0);
        SanLoss.Parts before = parts.get(1);
        return contribution
                .backward(main.sum().add(before.sum()))
                .and(Losses.of(
                        main.classes(), main.mask(), main.dice(), before.classes(), before.mask(), before.dice()));
    }

    private ClipView view(SanBatch batch) {
        if (batch.view() != null) {
            return batch.view();
        }
        if (learnsPositions) {
            return san.view(batch.pixels());
        }
        try (NoGradGuard noGrad = new NoGradGuard()) {
            return san.view(batch.pixels());
        }
    }

    /** Draws nothing. */
    @Override
    public void skip(RandomStreams streams, BatchShard none) {}

    @Override
    public List<String> penalties() {
        return NAMES;
    }
}
