package dev.diva.engine;

import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * y = x W^T + b on a CPU by oneDNN itself, or by {@link BlasProduct} where that is faster. In fp32 it takes the full width of the
 * processor, where the library of linear algebra behind libtorch may take half of it, and an image's rows of y do not depend on the images
 * beside it.
 */
public final class OneDnnLinear {
    /** Numbers of a weight from which kernels of AVX2 take two to four times as long with it as it lies as with it turned. */
    private static final long WIDE = 1 << 24;

    private OneDnnLinear() {}

    /** Whether {@link #forward} is faster than libtorch, which in bf16 calls the same kernels, and has a gradient of its own. */
    public static boolean isFaster(Tensor x) {
        return OneDnn.isFast(x) && (x.scalar_type().intern() == ScalarType.Float || !GradMode.is_enabled());
    }

    /**
     * Applies the layer to the last axis.
     *
     * @param x [..., in]
     * @param weight [out, in], in the type of x
     * @param bias [out], in the type of x, or null
     * @return [..., out]
     */
    public static Tensor forward(Tensor x, Tensor weight, Tensor bias) {
        Tensor y = OwnGradient.withoutGraph(() -> product(x, weight, bias, null));
        Tensor[] inputs = bias == null ? new Tensor[] {x, weight} : new Tensor[] {x, weight, bias};
        if (!OwnGradient.isNeeded(inputs)) {
            return y;
        }
        boolean[] needed = new boolean[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            needed[i] = inputs[i].requires_grad();
        }
        // A frozen weight needs no x: it may go before the backward pass.
        Tensor[] saved = needed[1] ? new Tensor[] {weight, x} : new Tensor[] {weight};
        return OwnGradient.tie(y, inputs, (gradient, kept) -> gradients(gradient, kept, needed), saved);
    }

    /** A function of the layer, as {@link #forward} without a gradient. */
    public static Tensor activated(Tensor x, Tensor weight, Tensor bias, Pointwise function) {
        return OwnGradient.withoutGraph(() -> product(x, weight, bias, function));
    }

    /** @param function of each number, or null for none */
    private static Tensor product(Tensor x, Tensor weight, Tensor bias, Pointwise function) {
        long[] shape = x.shape();
        shape[shape.length - 1] = weight.size(0);
        Tensor y = torch.empty(shape, x.options(), null);
        if (function == null) {
            multiply(x, weight.t(), bias, y);
        } else {
            plus(Product.of(rows(x), weight.t()), bias).then(function).into(rows(y));
        }
        return y;
    }

    /** Each matrix of x alone where that is faster, else the rows of all at once. */
    private static void multiply(Tensor x, Tensor weight, Tensor bias, Tensor y) {
        if (BlasProduct.isFaster(x, weight)) {
            BlasProduct.compute(x, weight, bias, y);
        } else {
            plus(Product.of(rows(x), weight), bias).into(rows(y));
        }
    }

    private static Product plus(Product product, Tensor bias) {
        return bias == null ? product : product.plus(bias);
    }

    private static Tensor[] gradients(Tensor dy, Tensor[] saved, boolean... needed) {
        Tensor weight = saved[0];
        Tensor[] gradients = new Tensor[needed.length];
        if (needed[0]) {
            gradients[0] = timesWeight(dy, weight);
        }
        if (needed[1]) {
            gradients[1] = torch.empty(weight.shape(), weight.options(), null);
            Tensor rows = rows(dy).t().unsqueeze(0); // one matrix of the whole batch
            multiply(rows, rows(saved[1]), null, gradients[1].unsqueeze(0));
        }
        if (needed.length > 2 && needed[2]) {
            gradients[2] = rows(dy).sum(0);
        }
        return gradients;
    }

    private static Tensor timesWeight(Tensor dy, Tensor weight) {
        long[] shape = dy.shape();
        shape[shape.length - 1] = weight.size(1);
        boolean turned =
                weight.numel() >= WIDE && OneDnn.isOfAvx2(weight.scalar_type()) && !BlasProduct.isFaster(dy, weight);
        if (turned) {
            Tensor rows = rows(dy);
            Tensor dx = torch.empty(new long[] {weight.size(1), rows.size(0)}, dy.options(), null);
            Product.of(weight.t(), rows.t()).into(dx);
            return dx.t().contiguous().view(shape);
        }
        Tensor dx = torch.empty(shape, dy.options(), null);
        multiply(dy, weight, null, dx);
        return dx;
    }

    /** [..., width] to [rows, width]: a view where the axes allow it. */
    private static Tensor rows(Tensor x) {
        return x.reshape(-1, x.size(-1));
    }
}
