package dev.diva.engine;

import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * y = x W^T + b on a CPU by oneDNN itself. In fp32 it takes the full width of the processor, where the library of linear algebra behind
 * libtorch may take half of it, and a row of y does not depend on the rows beside it.
 */
public final class OneDnnLinear {
    /** Tokens from which an image is multiplied alone by {@link Sgemm}, so that it does not depend on the images beside it. */
    private static final long LONG = 256;

    private OneDnnLinear() {}

    /** Whether {@link #forward} is faster than libtorch, whose own, older oneDNN takes twice as long for bf16 with AMX. */
    public static boolean isFaster(Tensor x) {
        return OneDnn.isFast(x);
    }

    /** Whether that holds for a few columns too, as an adapter has: libtorch's own products of them leave half of AVX-512 idle, and not of AVX2. */
    public static boolean isFasterForFewColumns(Tensor x) {
        return isFaster(x) && !OneDnn.isOfAvx2(x.scalar_type());
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
        Tensor y = OwnGradient.withoutGraph(() -> product(x, weight, bias, UnaryOperator.identity()));
        Tensor[] inputs = bias == null ? new Tensor[] {x, weight} : new Tensor[] {x, weight, bias};
        if (!OwnGradient.isNeeded(inputs)) {
            return y;
        }
        boolean[] needed = OwnGradient.needed(inputs);
        // A frozen weight needs no x: it may go before the backward pass.
        Tensor[] saved = needed[1] ? new Tensor[] {weight, x} : new Tensor[] {weight};
        return OwnGradient.tie(y, inputs, (gradient, kept) -> gradients(gradient, kept, needed), saved);
    }

    /** {@link #forward} where it {@link #isFaster}, else the same by libtorch. */
    public static Tensor orLibtorch(Tensor x, Tensor weight, Tensor bias) {
        if (isFaster(x)) {
            return forward(x, weight, bias);
        }
        // As rows: libtorch multiplies some inputs image by image, each with a copy of a frozen weight of its own.
        Tensor y = torch.linear(rows(x), weight, bias == null ? new TensorOptional() : new TensorOptional(bias));
        long[] shape = x.shape();
        shape[shape.length - 1] = weight.size(0);
        return y.view(shape);
    }

    /** A function of the layer, as {@link #forward} without a gradient. */
    public static Tensor activated(Tensor x, Tensor weight, Tensor bias, Pointwise function) {
        return OwnGradient.withoutGraph(() -> product(x, weight, bias, product -> product.then(function)));
    }

    /** a b, of matrices with any strides; a row of it does not depend on the rows beside it. */
    static Tensor product(Tensor a, Tensor b) {
        Tensor product = torch.empty(new long[] {a.size(0), b.size(1)}, a.options(), null);
        Product.of(a, b).rowByRow().into(product);
        return product;
    }

    private static Tensor product(Tensor x, Tensor weight, Tensor bias, UnaryOperator<Product> after) {
        long[] shape = x.shape();
        shape[shape.length - 1] = weight.size(0);
        Tensor y = torch.empty(shape, x.options(), null);
        boolean isAlone = x.dim() == 3 && x.size(1) >= LONG && Sgemm.isFaster(x, weight.t(), y);
        Product product = isAlone
                ? Product.of(x, weight.t().expand(x.size(0), -1, -1))
                : Product.of(rows(x), weight.t()).rowByRow();
        after.apply(bias == null ? product : product.plus(bias)).into(isAlone ? y : rows(y));
        return y;
    }

    private static Tensor[] gradients(Tensor dy, Tensor[] saved, boolean... needed) {
        Tensor weight = saved[0];
        Tensor[] gradients = new Tensor[needed.length];
        if (needed[0]) {
            long[] shape = dy.shape();
            shape[shape.length - 1] = weight.size(1);
            gradients[0] = torch.empty(shape, dy.options(), null);
            Product.of(rows(dy), weight).into(rows(gradients[0]));
        }
        if (needed[1]) {
            gradients[1] = torch.empty(weight.shape(), weight.options(), null);
            Product.of(rows(dy).t(), rows(saved[1])).into(gradients[1]);
        }
        if (needed.length > 2 && needed[2]) {
            gradients[2] = rows(dy).sum(0);
        }
        return gradients;
    }

    /** [..., width] to [rows, width]: a view where the axes allow it. */
    static Tensor rows(Tensor x) {
        return x.reshape(-1, x.size(-1));
    }
}
