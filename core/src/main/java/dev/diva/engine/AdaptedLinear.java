package dev.diva.engine;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * y = x W^T + b + scale dropout(x) A^T B^T: a frozen matrix with a low-rank change that learns (LoRA, arXiv 2106.09685), as one operation
 * with a gradient of its own. Autograd would keep what is left of x and a mask for each adapter, both in the type of x; this keeps x itself,
 * which adapters of the same input share, and a bit of each number. Where a function comes before the layer, its input takes the place of x.
 *
 * @param weight W, frozen, [out, in], in the type of x
 * @param bias [out], which may learn, or null
 * @param down A, [rank, in], in any type
 * @param up B, [out, rank], in any type
 * @param scale of the change
 */
public record AdaptedLinear(Tensor weight, Tensor bias, Tensor down, Tensor up, double scale) {
    /**
     * Applies the layer to the last axis.
     *
     * @param x [..., in]
     * @param before a function of x that comes first, where it {@linkplain Pointwise#isOnePass is one pass}; or null
     * @param mask of what enters the layer, or null where nothing is dropped
     * @return [..., out]
     */
    public Tensor forward(Tensor x, Pointwise before, DropoutMask mask) {
        return Scopes.returning(() -> {
            Tensor input = OwnGradient.withoutGraph(() -> entering(x, before));
            Tensor inner = OwnGradient.withoutGraph(() -> product(
                            OneDnnLinear.rows(left(input, mask == null ? null : mask.flags(x))),
                            like(down, x).t())
                    .mul_(factor(mask)));
            Tensor y = OwnGradient.withoutGraph(() -> {
                Tensor sum = OneDnnLinear.orLibtorch(input, weight, like(bias, x));
                add(inner, like(up, x).t(), OneDnnLinear.rows(sum));
                return sum;
            });
            Tensor[] inputs = bias == null ? new Tensor[] {x, down, up} : new Tensor[] {x, down, up, bias};
            if (!OwnGradient.isNeeded(inputs)) {
                return y;
            }
            boolean[] needed = OwnGradient.needed(inputs);
            Tensor[] saved =
                    mask == null ? new Tensor[] {weight, x, inner} : new Tensor[] {weight, x, inner, mask.bits()};
            return OwnGradient.tie(
                    y,
                    inputs,
                    (dy, kept) -> gradients(
                            OneDnnLinear.rows(dy),
                            kept,
                            before,
                            mask == null ? null : new DropoutMask(kept[3], mask.probability()),
                            needed),
                    saved);
        });
    }

    private Tensor[] gradients(Tensor dy, Tensor[] saved, Pointwise before, DropoutMask mask, boolean... needed) {
        Tensor[] gradients = new Tensor[needed.length];
        Tensor frozen = saved[0];
        Tensor x = saved[1];
        Tensor dInner = product(dy, like(up, x)).mul_(factor(mask));
        Tensor flags = mask == null ? null : mask.flags(x);
        if (needed[0]) {
            Tensor shaped = ofInput(dy, frozen, dInner, like(down, x), flags).view(x.shape());
            gradients[0] = before == null ? shaped : before.backward(x, shaped);
        }
        if (needed[1]) {
            gradients[1] = product(dInner.t(), OneDnnLinear.rows(left(entering(x, before), flags)))
                    .to(down.scalar_type());
        }
        if (needed[2]) {
            gradients[2] = product(dy.t(), saved[2]).to(up.scalar_type());
        }
        if (needed.length > 3 && needed[3]) {
            gradients[3] = dy.sum(0).to(bias.scalar_type());
        }
        return gradients;
    }

    /** dy W + dInner A, the latter where flags are 1. */
    private static Tensor ofInput(Tensor dy, Tensor frozen, Tensor dInner, Tensor down, Tensor flags) {
        boolean isFast = OneDnn.isFast(dy);
        if (flags != null && isFast) {
            Tensor sum = torch.empty(new long[] {dy.size(0), frozen.size(1)}, dy.options(), null);
            Product.of(dInner, down).rowByRow().times(OneDnnLinear.rows(flags)).into(sum);
            Product.of(dy, frozen).rowByRow().addedTo(sum);
            return sum;
        }
        Tensor sum = isFast ? OneDnnLinear.product(dy, frozen) : dy.mm(frozen);
        if (flags == null) {
            add(dInner, down, sum);
        } else {
            sum.add_(product(dInner, down).mul_(OneDnnLinear.rows(flags)));
        }
        return sum;
    }

    private static Tensor entering(Tensor x, Pointwise before) {
        return before == null ? x.alias() : before.forward(x);
    }

    private Scalar factor(DropoutMask mask) {
        return new Scalar(mask == null ? scale : scale * mask.scale());
    }

    private static Tensor left(Tensor x, Tensor flags) {
        if (flags == null) {
            return x;
        }
        return OneDnn.isFast(x) ? OneDnn.times(x, flags) : x.mul(flags);
    }

    private static Tensor product(Tensor a, Tensor b) {
        return OneDnnLinear.isFasterForFewColumns(a) ? OneDnnLinear.product(a, b) : a.mm(b);
    }

    private static void add(Tensor a, Tensor b, Tensor sum) {
        if (OneDnnLinear.isFasterForFewColumns(a)) {
            Product.of(a, b).rowByRow().addedTo(sum);
        } else {
            sum.addmm_(a, b);
        }
    }

    private static Tensor like(Tensor tensor, Tensor x) {
        return tensor == null ? null : tensor.to(x.scalar_type());
    }
}
