package dev.diva.objective.un2clip;

import dev.diva.diffusion.Condition;
import dev.diva.diffusion.UnclipEmbedding;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.Tensors;
import dev.diva.feedback.ImageCondition;
import dev.diva.objective.TowerEmbedding;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The embedding itself as class embeddings, beside the empty prompt. Draws, where they are asked for: levels, noise, then which images
 * are dropped.
 *
 * @param text the encoded empty prompt, [1, tokens, width], owned by the caller
 */
record UnclipCondition(TowerEmbedding tower, UnclipEmbedding unclip, EmbeddingNoise noise, Tensor text)
        implements ImageCondition {
    private static final long RESOLUTION = 1L << 24; // of a uniform number, as fp32 has it

    @Override
    public Encoded encode(Tensor pixels, BatchDraws draws) {
        TowerEmbedding.Embedded embedded = tower.of(pixels, draws);
        long batch = pixels.size(0);
        long[] shape = {batch, unclip.embeddingDim()};
        Tensor levels = noise.isNoised()
                ? draws.randint(unclip.numLevels())
                : torch.zeros(new long[] {batch}, new TensorOptions(ScalarType.Long));
        Tensor disturbance = noise.isNoised()
                ? draws.randn(unclip.embeddingDim())
                : torch.zeros(shape, new TensorOptions(ScalarType.Float));
        Tensor device = embedded.embedding();
        Tensor vector = unclip.vector(
                embedded.embedding(), levels, Tensors.onto(disturbance, device.device(), ScalarType.Float));
        if (noise.dropProbability() > 0) {
            Tensor keep =
                    draws.randint(RESOLUTION).ge(new Scalar((double) Math.round(noise.dropProbability() * RESOLUTION)));
            vector = vector.mul(
                    Tensors.onto(keep, vector.device(), ScalarType.Float).unsqueeze(1));
        }
        return new Encoded(embedded.hidden(), new Condition(text.expand(batch, -1, -1), vector));
    }

    @Override
    public void skip(BatchDraws draws) {
        tower.skip(draws);
        if (noise.isNoised()) {
            draws.randint(unclip.numLevels());
            draws.randn(unclip.embeddingDim());
        }
        if (noise.dropProbability() > 0) {
            draws.randint(RESOLUTION);
        }
    }

    @Override
    public void done() {
        tower.done();
    }
}
