package dev.diva.diffusion.dc;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.PixelNorm;
import dev.diva.model.Conv2d;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** x + norm(conv(silu(conv(x)))): diffusers' {@code ResBlock}. */
public final class ResidualBlock {
    private final Conv2d first;
    private final Conv2d second;
    private final PixelNorm norm;

    public ResidualBlock(Weights weights, long channels) {
        this.first = Conv2d.of(weights.at("conv1"), channels, channels, Conv2d.Geometry.SAME_3);
        this.second = Conv2d.withoutBias(weights.at("conv2"), channels, channels, Conv2d.Geometry.SAME_3);
        this.norm = new PixelNorm(weights.at("norm"), channels);
    }

    /** [batch, channels, h, w] to the same. */
    public Tensor forward(Tensor x) {
        return x.add(norm.forward(second.forward(torch.silu(first.forward(x)))));
    }
}
