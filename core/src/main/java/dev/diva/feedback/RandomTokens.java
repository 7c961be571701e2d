package dev.diva.feedback;

import dev.diva.clip.VisionTokens;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Local tokens drawn uniformly, for each image its own: OpenAI's towers (76) and DFN at 378 pixels (half of them) in the paper.
 *
 * @param count tokens of an image, or 0 to take the fraction
 * @param fraction of the patches, rounded down
 * @param replacement whether a token may come twice, as in the authors' code: one draw {@code randint(0, patches, (batch, count))};
 *     without, the first of one {@code randperm(patches)} an image
 */
record RandomTokens(long count, double fraction, boolean replacement) implements Recap {
    @Override
    public Tensor select(VisionTokens tokens, BatchDraws draws) {
        Tensor local = tokens.patches();
        long batch = local.size(0);
        Tensor indices = Tensors.onto(indices(local.size(1), draws), local.device(), torch.kLong()); // [batch, count]
        Tensor chosen = local.gather(1, indices.unsqueeze(-1).expand(batch, indices.size(1), local.size(2)));
        return torch.cat(new TensorVector(tokens.pooled().unsqueeze(1), chosen), 1);
    }

    @Override
    public long numTokens(long patches) {
        return 1 + local(patches);
    }

    private long local(long patches) {
        return count > 0 ? count : (long) (fraction * patches);
    }

    private Tensor indices(long patches, BatchDraws draws) {
        return replacement ? draws.randint(patches, local(patches)) : draws.randperm(patches, local(patches));
    }
}
