package dev.diva.engine;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Operations whose kernel depends on where the tensors are, beside {@link Attention} and {@link OneDnnLinear}. Norms of bf16 with fp32
 * weights are one kernel on the processor; other devices have none for two types and compute in fp32. libtorch's meta device, which has
 * shapes and no values, has no kernels for any of these: results have the right shape, type and graph there, and operands of another device
 * are refused, as by all its own operations.
 */
public final class Kernels {
    private Kernels() {}

    /** Parts of a tensor along an axis, in the order of an index [count] that may be anywhere. */
    public static Tensor indexSelect(Tensor x, long axis, Tensor index) {
        if (!x.is_meta()) {
            return x.index_select(axis, Tensors.onto(index, x.device(), index.scalar_type()));
        }
        long[] shape = x.shape();
        shape[Math.toIntExact(axis)] = index.size(0);
        return of(shape, x);
    }

    /** Rows [..., width] of a table [rows, width]. */
    public static Tensor embedding(Tensor table, Tensor ids) {
        if (!table.is_meta()) {
            return torch.embedding(table, ids);
        }
        long[] shape = Arrays.copyOf(ids.shape(), Math.toIntExact(ids.dim()) + 1);
        shape[shape.length - 1] = table.size(1);
        return of(shape, table, ids);
    }

    /** Convolution of [batch, in, height, width] by [out, in / groups, kernel, kernel]; the bias may be null. */
    public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, long stride, long padding, long groups) {
        if (stride == 1 && Im2Col.isFaster(x, weight, bias, padding)) {
            return Im2Col.conv2d(x, weight, bias);
        }
        if (groups == 1 && PatchProduct.isFaster(x, weight, bias, stride, padding)) {
            return PatchProduct.conv2d(x, weight, bias);
        }
        if (!x.is_meta()) {
            return new Convolution(stride, padding, groups).forward(x, weight, bias);
        }
        long height = (x.size(2) + 2 * padding - weight.size(2)) / stride + 1;
        long width = (x.size(3) + 2 * padding - weight.size(3)) / stride + 1;
        long[] shape = {x.size(0), weight.size(0), height, width};
        return bias == null ? of(shape, x, weight) : of(shape, x, weight, bias);
    }

    /** log sum exp of the rows of a matrix: [rows]. */
    public static Tensor logSumExp(Tensor x) {
        return x.is_meta() ? of(new long[] {x.size(0)}, x) : x.logsumexp(1);
    }

    /** max(x, 0). */
    public static Tensor relu(Tensor x) {
        return x.is_meta() ? of(x.shape(), x) : x.relu();
    }

    /** Of length 1 along the last axis; what is shorter than 1e-12 stays short, as in PyTorch. */
    public static Tensor unit(Tensor x) {
        return x.is_meta()
                ? of(x.shape(), x)
                : x.div(x.norm(new ScalarOptional(new Scalar(2.0)), new long[] {-1}, true)
                        .clamp_min(new Scalar(1e-12)));
    }

    /** Bilinear values of maps [batch, channels, height, width] at a grid [batch, rows, columns, 2] of -1 to 1, zeros outside. */
    public static Tensor gridSample(Tensor maps, Tensor grid) {
        if (!maps.is_meta()) {
            return torch.grid_sampler(maps, grid, 0, 0, false);
        }
        return of(new long[] {maps.size(0), maps.size(1), grid.size(1), grid.size(2)}, maps, grid);
    }

    /** Layer norm over the last axis; weight and bias [width] or both null. */
    public static Tensor layerNorm(Tensor x, long width, Tensor weight, Tensor bias, double eps) {
        OneDnnLayerNorm norm = new OneDnnLayerNorm(weight, bias, eps);
        if (norm.isFaster(x)) {
            return norm.forward(x);
        }
        return normed(
                x,
                weight,
                bias,
                in -> torch.layer_norm(in, new long[] {width}, optional(weight), optional(bias), eps, false));
    }

    /** Group norm over the second axis; weight and bias [channels]. */
    public static Tensor groupNorm(Tensor x, long groups, Tensor weight, Tensor bias, double eps) {
        OneDnnGroupNorm norm = new OneDnnGroupNorm(groups, weight, bias, eps);
        if (norm.isFaster(x)) {
            return norm.forward(x);
        }
        return normed(
                x, weight, bias, in -> torch.group_norm(in, groups, optional(weight), optional(bias), eps, false));
    }

    /** silu of {@link #groupNorm}. */
    public static Tensor siluOfGroupNorm(Tensor x, long groups, Tensor weight, Tensor bias, double eps) {
        OneDnnGroupNorm norm = new OneDnnGroupNorm(groups, weight, bias, eps);
        return !OwnGradient.isNeeded(x) && norm.isFaster(x)
                ? norm.silu(x)
                : torch.silu(groupNorm(x, groups, weight, bias, eps));
    }

    private static Tensor normed(Tensor x, Tensor weight, Tensor bias, UnaryOperator<Tensor> norm) {
        if (x.is_meta()) {
            return weight == null ? of(x.shape(), x) : of(x.shape(), x, weight, bias);
        }
        boolean isOneKernel = x.is_cpu()
                || weight == null
                || weight.scalar_type().intern() == x.scalar_type().intern();
        return isOneKernel
                ? norm.apply(x)
                : norm.apply(x.to(weight.scalar_type())).to(x.scalar_type());
    }

    private static TensorOptional optional(Tensor tensor) {
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
    }

    /** On the meta device: a tensor of that shape in the type of the first operand, which depends on all of them. */
    static Tensor of(long[] shape, Tensor... operands) {
        Tensor result = torch.zeros(shape, operands[0].options());
        for (Tensor operand : operands) {
            if (!operand.is_meta()) {
                throw new IllegalStateException("an operand is not on the device of the others");
            }
            result = result.add(operand.flatten().sum().to(result.scalar_type()));
        }
        return result;
    }
}
