package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Conv2d;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A gated MLP that looks at the neighbours of a pixel as well: wider, channel by channel 3 x 3, one half times the SiLU of the other, back
 * (diffusers' GLUMBConv; Mix-FFN of Sana, arXiv 2410.10629).
 */
public final class GatedConvolution {
    private final Conv2d in;
    private final Conv2d neighbours;
    private final Conv2d out;

    /**
     * Reads {@code conv_inverted}, {@code conv_depth} and {@code conv_point}.
     *
     * @param inner channels of a half
     */
    public GatedConvolution(Weights weights, long channels, long inner) {
        this.in = Conv2d.of(weights.at("conv_inverted"), channels, 2 * inner, Conv2d.Geometry.POINT);
        this.neighbours = Conv2d.depthwise(weights.at("conv_depth"), 2 * inner, 3);
        this.out = Conv2d.withoutBias(weights.at("conv_point"), inner, channels, Conv2d.Geometry.POINT);
    }

    /** [batch, channels, h, w] to the same. */
    public Tensor forward(Tensor x) {
        return Scopes.returning(() -> {
            TensorVector halves = neighbours.forward(torch.silu(in.forward(x))).chunk(2, 1);
            return out.forward(halves.get(0).mul(torch.silu(halves.get(1))));
        });
    }
}
