package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Conv2d;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Repeats the nearest pixel, then a 3 x 3 convolution {@code conv}. */
public final class Upsample {
    private final Conv2d conv;

    public Upsample(Weights weights, long channels) {
        this.conv = Conv2d.of(weights.at("conv"), channels, channels, Conv2d.Geometry.SAME_3);
    }

    /**
     * Enlarges to a given size, twice the input's or one less where that was odd before it was halved.
     *
     * @param x [batch, channels, h, w]
     * @return [batch, channels, height, width]
     */
    public Tensor forward(Tensor x, long height, long width) {
        return Scopes.returning(() -> conv.forward(nearest(x, height, width)));
    }

    private static Tensor nearest(Tensor x, long height, long width) {
        return torch.upsample_nearest2d(x, new long[] {height, width}, new DoubleOptional(), new DoubleOptional());
    }
}
