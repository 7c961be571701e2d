package dev.diva.posttrain.run;

import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.Engine;
import dev.diva.engine.RandomStreams;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import dev.diva.train.Objective;
import java.util.List;

/**
 * Diffusion feedback as what training minimises, alone or as a part of a batch that processes share.
 *
 * @param feedback computes losses and gradients
 * @param channels of a latent
 * @param latentSide height and width of a latent
 * @param lowMemory whether memory that the last step has freed is given back, and what the denoiser has freed before the tower's
 *     gradients arrive
 */
record FeedbackObjective(DiffusionFeedback feedback, long channels, long latentSide, boolean lowMemory)
        implements Objective<ImageBatch> {
    /** Two take a seventh less time than one after the other; more gain nothing. */
    private static final int LATENTS_AT_ONCE = 2;

    /** How a batch becomes a gradient. */
    static DiffusionFeedback.Settings settings(Recipe recipe) {
        return new DiffusionFeedback.Settings(
                recipe.train().draws(),
                recipe.feedback().drawWeights().weights(),
                recipe.feedback().towerPerDraw(),
                recipe.latents() == Recipe.Latents.SHUFFLED,
                recipe.lowMemory() ? 1 : LATENTS_AT_ONCE);
    }

    /** For the latents of a method. */
    static FeedbackObjective of(DiffusionFeedback feedback, Method method, Recipe recipe) {
        return new FeedbackObjective(
                feedback,
                method.latentChannels(),
                recipe.resolution() / method.autoencoder().downscale(),
                recipe.lowMemory());
    }

    @Override
    public Losses backward(ImageBatch batch, RandomStreams streams, Contribution contribution) {
        BatchDraws draws = new BatchDraws(streams.stream(DiffusionFeedback.STREAM), contribution.shard());
        if (lowMemory) {
            Engine.trimMemory();
        }
        return feedback.backward(
                batch.pixels(),
                batch.latents(),
                draws,
                lowMemory ? contribution.after(Engine::trimMemory) : contribution);
    }

    @Override
    public List<String> penalties() {
        return feedback.penalties();
    }

    @Override
    public void skip(RandomStreams streams, BatchShard none) {
        BatchDraws draws = new BatchDraws(streams.stream(DiffusionFeedback.STREAM), none);
        feedback.skip(draws, channels, latentSide, latentSide);
    }
}
