package dev.diva.train.run;

import dev.diva.engine.BatchDraws;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Share;
import dev.diva.feedback.Contribution;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.train.MicroBatch;
import dev.diva.train.Objective;
import java.util.List;

/** Diffusion feedback as what training minimises, alone or as a part of a batch that processes share. */
record FeedbackObjective(DiffusionFeedback feedback, long channels, long latentSide) implements Objective {
    @Override
    public double[] backward(MicroBatch batch, RandomStreams streams, int accumulation) {
        return feedback.backward(batch.pixels(), batch.latents(), streams, accumulation);
    }

    @Override
    public double[] backward(MicroBatch batch, RandomStreams streams, Share share, Contribution contribution) {
        BatchDraws draws = new BatchDraws(streams.stream(DiffusionFeedback.STREAM), share);
        return feedback.backward(batch.pixels(), batch.latents(), draws, contribution);
    }

    @Override
    public List<String> penalties() {
        return feedback.penalties();
    }

    @Override
    public void skip(RandomStreams streams, Share none) {
        BatchDraws draws = new BatchDraws(streams.stream(DiffusionFeedback.STREAM), none);
        feedback.skip(draws, channels, latentSide, latentSide);
    }
}
