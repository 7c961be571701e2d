package dev.diva.feedback;

import dev.diva.clip.VisionTokens;
import dev.diva.engine.RandomStreams;
import org.bytedeco.pytorch.Generator;
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
    public Tensor select(VisionTokens tokens, Generator draws) {
        Tensor local = tokens.patches();
        long batch = local.size(0);
        Tensor indices = indices(batch, local.size(1), draws).to(local.device(), torch.kLong()); // [batch, count]
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

    private Tensor indices(long batch, long patches, Generator draws) {
        if (replacement) {
            return RandomStreams.randint(draws, patches, batch, local(patches));
        }
        TensorVector rows = new TensorVector();
        for (long i = 0; i < batch; i++) {
            rows.push_back(RandomStreams.randperm(draws, patches).narrow(0, 0, local(patches)));
        }
        return torch.stack(rows);
    }
}
