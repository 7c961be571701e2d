package dev.diva.posttrain.run;

import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.objective.dcr.DcrFeedback;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import dev.diva.train.Objective;
import java.util.ArrayList;
import java.util.List;

/**
 * DCR as what training minimises. Its control goes into the metrics as {@code ownShare}: the share of images whose own condition gave the
 * prediction nearest to the target, of which chance is 1 / batch.
 *
 * @param channels of a latent
 * @param latentSide height and width of a latent
 */
record DcrObjective(DcrFeedback feedback, long channels, long latentSide) implements Objective<ImageBatch> {
    @Override
    public Losses backward(ImageBatch batch, RandomStreams streams, Contribution contribution) {
        BatchDraws draws = new BatchDraws(streams.stream(DiffusionFeedback.STREAM), contribution.shard());
        Losses losses = feedback.backward(batch.pixels(), batch.secondView(), batch.latents(), draws, contribution);
        return losses.and(feedback.ownShare());
    }

    @Override
    public List<String> penalties() {
        List<String> names = new ArrayList<>(feedback.penalties());
        names.add("ownShare");
        return names;
    }

    @Override
    public void skip(RandomStreams streams, BatchShard none) {
        BatchDraws draws = new BatchDraws(streams.stream(DiffusionFeedback.STREAM), none);
        feedback.skip(draws, channels, latentSide, latentSide);
    }
}
