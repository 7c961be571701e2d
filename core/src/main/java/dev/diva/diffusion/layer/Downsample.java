package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Conv2d;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Halves height and width with a convolution {@code conv} of stride 2. */
public final class Downsample {
    private final Conv2d conv;
    private final boolean padAfter;

    private Downsample(Weights weights, long channels, boolean padAfter) {
        this.conv = Conv2d.of(weights.at("conv"), channels, channels, new Conv2d.Geometry(3, 2, padAfter ? 0 : 1));
        this.padAfter = padAfter;
    }

    /** Padded by one on all sides: UNets. */
    public static Downsample padded(Weights weights, long channels) {
        return new Downsample(weights, channels, false);
    }

    /** Padded by one on the right and below alone: autoencoders. */
    public static Downsample paddedAfter(Weights weights, long channels) {
        return new Downsample(weights, channels, true);
    }

    /** [batch, channels, h, w] to [batch, channels, h', w'] with half the size: rounded up when padded, down when padded after. */
    public Tensor forward(Tensor x) {
        return Scopes.returning(() -> conv.forward(padAfter ? torch.constant_pad_nd(x, 0, 1, 0, 1) : x));
    }
}
