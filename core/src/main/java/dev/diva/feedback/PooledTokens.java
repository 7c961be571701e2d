package dev.diva.feedback;

import dev.diva.clip.VisionTokens;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Averages over windows of consecutive local tokens, in the row-major order of the patches: SigLIP in the paper (6 at 224 pixels, 10 at
 * 384). A last window that is not full is dropped.
 *
 * @param window tokens averaged into one, also the stride
 */
record PooledTokens(long window) implements Recap {
    @Override
    public Tensor select(VisionTokens tokens, BatchDraws draws) {
        Tensor local = tokens.patches();
        long windows = local.size(1) / window;
        Tensor means = local.narrow(1, 0, windows * window)
                .reshape(local.size(0), windows, window, local.size(2))
                .mean(2); // [batch, windows, width]
        return torch.cat(new TensorVector(tokens.pooled().unsqueeze(1), means), 1);
    }

    @Override
    public long numTokens(long patches) {
        return 1 + patches / window;
    }
}
