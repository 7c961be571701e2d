package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A layer norm whose shift and scale are made from a vector, before the last layer of a diffusion transformer. */
public final class ModulatedNorm {
    private static final double EPS = 1e-6;

    private final Linear modulation;
    private final LayerNorm norm;
    private final boolean scalesFirst;

    private ModulatedNorm(Weights weights, long width, boolean scalesFirst) {
        this.modulation = Linear.of(weights, width, 2 * width);
        this.norm = LayerNorm.withoutWeights(width, EPS);
        this.scalesFirst = scalesFirst;
    }

    /** The layer under this prefix gives shift, then scale: the authors of DiT and FLUX.1. */
    public static ModulatedNorm shiftFirst(Weights weights, long width) {
        return new ModulatedNorm(weights, width, false);
    }

    /** The layer under this prefix gives scale, then shift: diffusers' {@code AdaLayerNormContinuous}. */
    public static ModulatedNorm scaleFirst(Weights weights, long width) {
        return new ModulatedNorm(weights, width, true);
    }

    /**
     * Normalises.
     *
     * @param x [batch, tokens, width]
     * @param vector [batch, width], before its SiLU
     * @return as x
     */
    public Tensor forward(Tensor x, Tensor vector) {
        TensorVector m = modulation.forward(torch.silu(vector)).unsqueeze(1).chunk(2, -1);
        return AdaptiveBlock.modulated(norm.forward(x), m.get(scalesFirst ? 1 : 0), m.get(scalesFirst ? 0 : 1));
    }
}
