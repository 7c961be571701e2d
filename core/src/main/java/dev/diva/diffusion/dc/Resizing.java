package dev.diva.diffusion.dc;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Conv2d;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Between the levels of the autoencoder: a convolution {@code conv} beside a way past without weights, on which channels are averaged or
 * repeated and pixels become channels or the reverse.
 */
public final class Resizing {
    private static final long FACTOR = 2;
    private static final long PIXELS = FACTOR * FACTOR;

    private Resizing() {}

    /**
     * Halves height and width.
     *
     * @param shuffles whether the convolution keeps the size, and pixels become channels behind it; otherwise its stride is 2
     * @return [batch, in, h, w] to [batch, out, h / 2, w / 2]
     */
    public static UnaryOperator<Tensor> down(Weights weights, long in, long out, boolean shuffles) {
        Conv2d.Geometry geometry = shuffles ? Conv2d.Geometry.SAME_3 : new Conv2d.Geometry(3, FACTOR, 1);
        Conv2d conv = Conv2d.of(weights.at("conv"), in, shuffles ? out / PIXELS : out, geometry);
        return x -> Scopes.returning(() -> {
            Tensor convolved = conv.forward(x);
            Tensor main = shuffles ? torch.pixel_unshuffle(convolved, FACTOR) : convolved;
            return main.add(averaged(torch.pixel_unshuffle(x, FACTOR), out));
        });
    }

    /**
     * Doubles height and width.
     *
     * @param repeats whether pixels are repeated before the convolution; otherwise channels become pixels behind it
     * @return [batch, in, h, w] to [batch, out, 2 h, 2 w]
     */
    public static UnaryOperator<Tensor> up(Weights weights, long in, long out, boolean repeats) {
        Conv2d conv = Conv2d.of(weights.at("conv"), in, repeats ? out : out * PIXELS, Conv2d.Geometry.SAME_3);
        return x -> Scopes.returning(() -> {
            Tensor main = repeats ? conv.forward(doubled(x)) : torch.pixel_shuffle(conv.forward(x), FACTOR);
            return main.add(torch.pixel_shuffle(repeated(x, out * PIXELS), FACTOR));
        });
    }

    /** A convolution {@code 3 x 3} beside the average of its channels. */
    public static UnaryOperator<Tensor> narrow(Weights weights, long in, long out) {
        Conv2d conv = Conv2d.of(weights, in, out, Conv2d.Geometry.SAME_3);
        return x -> conv.forward(x).add(averaged(x, out));
    }

    /** A convolution {@code 3 x 3} beside its channels repeated. */
    public static UnaryOperator<Tensor> widen(Weights weights, long in, long out) {
        Conv2d conv = Conv2d.of(weights, in, out, Conv2d.Geometry.SAME_3);
        return x -> conv.forward(x).add(repeated(x, out));
    }

    private static Tensor averaged(Tensor x, long channels) {
        return x.unflatten(1, channels, x.size(1) / channels).mean(2);
    }

    private static Tensor repeated(Tensor x, long channels) {
        return x.repeat_interleave(channels / x.size(1), new LongOptional(1), new LongOptional());
    }

    private static Tensor doubled(Tensor x) {
        return torch.upsample_nearest2d(
                x, new long[] {FACTOR * x.size(2), FACTOR * x.size(3)}, new DoubleOptional(), new DoubleOptional());
    }
}
