package dev.diva.objective.un2clip;

import dev.diva.BadInputException;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.UnclipEmbedding;
import dev.diva.feedback.DdpmNoise;
import dev.diva.feedback.DenoisingLoss;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.ImageCondition;
import dev.diva.feedback.LevelWeight;
import dev.diva.feedback.NoiseProcess;
import dev.diva.feedback.TimestepSampler;
import dev.diva.objective.TowerEmbedding;
import org.bytedeco.pytorch.Tensor;

/**
 * un2CLIP's objective: the denoising error of a frozen Stable unCLIP that is told of an image by the embedding itself, without projection.
 *
 * @param generator a Stable unCLIP, which stays the caller's
 * @param noise of the embedding
 * @param timesteps which are drawn
 * @param weight what an error counts at each of them
 */
public record Un2Clip(DiffusionModel generator, EmbeddingNoise noise, TimestepSampler timesteps, LevelWeight weight) {
    /** Errors count as they are. */
    public Un2Clip(DiffusionModel generator, EmbeddingNoise noise, TimestepSampler timesteps) {
        this(generator, noise, timesteps, LevelWeight.NONE);
    }

    public Un2Clip {
        if (generator.unclip().isEmpty()) {
            throw new BadInputException("the teacher takes no image embeddings (its unet/config.json has no"
                    + " class_embed_type projection); un2CLIP needs a Stable unCLIP");
        }
    }

    /**
     * What the generator is told of images.
     *
     * @param text the encoded empty prompt, [1, tokens, width], owned by the caller
     * @throws BadInputException when the generator was trained with embeddings of another width
     */
    public ImageCondition condition(TowerEmbedding tower, Tensor text) {
        UnclipEmbedding unclip = generator.unclip().orElseThrow();
        if (tower.width() != unclip.embeddingDim()) {
            throw new BadInputException("the tower's embeddings have width " + tower.width()
                    + ", the generator was trained with " + unclip.embeddingDim()
                    + ": take the Stable unCLIP of this tower (OpenAI's L/14: 768, OpenCLIP's H/14: 1024)");
        }
        return new UnclipCondition(tower, unclip, noise, text);
    }

    /** The noise that the generator was trained with. */
    NoiseProcess process() {
        return new DdpmNoise(generator.schedule(), timesteps, weight);
    }

    /**
     * The objective.
     *
     * @param guard a penalty added to each batch, or null
     */
    public DiffusionFeedback feedback(
            TowerEmbedding tower, Tensor text, EmbeddingGuard guard, DiffusionFeedback.Settings settings) {
        DenoisingLoss loss = new DenoisingLoss(generator.denoiser(), process());
        return new DiffusionFeedback(condition(tower, text), loss, guard, settings);
    }
}
