package dev.diva.engine;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The weight of a layer as whole numbers, in the order in which this processor's kernels read it: from any other they would bring it into
 * that order again for every picture, which takes as long as the product.
 *
 * @param values int8, as many bytes as the order takes
 * @param scales fp32 [out], what one is worth in each output channel
 */
public record Int8Weight(Tensor values, Tensor scales) {
    /** Tokens of the product that chooses the order, about one picture; products of more or fewer take it as it is. */
    private static final long TOKENS = 256;

    /** A small weight would be padded to blocks and take more memory than it saves time: it stays as it is. */
    private static final double MOST_PADDING = 1.05;

    private static final int SCALE_OF_EACH_COLUMN = 1 << 2;

    /** They live as long as the program: models have few shapes, and setting up a product takes as long as a small one. */
    private static final Map<Shape, memory.desc> LAYOUTS = new ConcurrentHashMap<>();

    private static final Map<Kind, matmul> PRODUCTS = new ConcurrentHashMap<>();

    private record Shape(long in, long out) {}

    private record Kind(long tokens, Shape shape, ScalarType type, boolean hasBias, Pointwise function) {}

    /** Rounds a weight [out, in], fp32 or bf16, row by row as {@link Int8Rows} does. */
    public static Int8Weight of(Tensor weight) {
        Int8Rows rows = Int8Rows.of(weight);
        memory.desc layout = layout(new Shape(weight.size(1), weight.size(0)));
        Tensor values = torch.empty(new long[] {layout.get_size()}, new TensorOptions(ScalarType.Char), null);
        try (PointerScope scope = new PointerScope()) {
            memory stored = OneDnn.memory(rows.values().t().unsqueeze(0));
            memory packed = new memory(layout, OneDnn.CPU, values.data_ptr());
            OneDnn.run(
                    new reorder(stored, packed),
                    new IntMemoryMap().put(dnnl.DNNL_ARG_FROM, stored).put(dnnl.DNNL_ARG_TO, packed));
        }
        return new Int8Weight(values, rows.scales().flatten());
    }

    /**
     * y = function(x W^T + b). Sums are exact; scales, bias and function are fp32 inside the product.
     *
     * @param x of [tokens, in]
     * @param bias [out], or null
     * @param function of each result, or null for none
     * @param y fp32 or bf16 [tokens, out]
     */
    void multiply(Int8Rows x, Tensor bias, Pointwise function, Tensor y) {
        if (bias != null) {
            y.copy_(bias.to(y.scalar_type())); // converted once rather than in every row
        }
        Shape shape = new Shape(x.values().size(1), y.size(1));
        matmul product = product(new Kind(y.size(0), shape, y.scalar_type().intern(), bias != null, function));
        try (PointerScope scope = new PointerScope()) {
            OneDnn.run(
                    product,
                    new IntMemoryMap()
                            .put(dnnl.DNNL_ARG_SRC, OneDnn.memory(x.values().unsqueeze(0)))
                            .put(dnnl.DNNL_ARG_WEIGHTS, new memory(layout(shape), OneDnn.CPU, values.data_ptr()))
                            .put(dnnl.DNNL_ARG_DST, OneDnn.memory(y.unsqueeze(0)))
                            .put(dnnl.DNNL_ARG_ATTR_SCALES | dnnl.DNNL_ARG_WEIGHTS, OneDnn.memory(scales))
                            .put(
                                    dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | dnnl.DNNL_ARG_SRC_1,
                                    OneDnn.memory(x.scales().unsqueeze(0))));
        }
    }

    /** Whether there is a fast kernel. */
    static boolean hasKernel() {
        try (PointerScope scope = new PointerScope()) {
            return OneDnn.isFast(choosing(new Shape(64, 64)).impl_info_str().getString());
        }
    }

    private static memory.desc layout(Shape shape) {
        return LAYOUTS.computeIfAbsent(shape, missing -> {
            try (PointerScope scope = new PointerScope()) {
                memory.desc fastest = choosing(missing).weights_desc();
                boolean isPadded = fastest.get_size() > MOST_PADDING * missing.in * missing.out;
                return Scopes.keep(isPadded ? described(ScalarType.Char, missing.in, missing.out) : fastest);
            }
        });
    }

    /** The kernel that may choose the order of a weight. */
    private static matmul.primitive_desc choosing(Shape shape) {
        memory.desc any =
                new memory.desc(new long[] {1, shape.in, shape.out}, memory.data_type.s8, memory.format_tag.any);
        return kernel(new Kind(TOKENS, shape, Precision.INT8.dtype(), true, Pointwise.GELU), any);
    }

    private static matmul product(Kind kind) {
        return PRODUCTS.computeIfAbsent(kind, missing -> {
            try (PointerScope scope = new PointerScope()) {
                return Scopes.keep(new matmul(kernel(missing, layout(missing.shape))));
            }
        });
    }

    /** A bias lies in y, as the sum to which the product is added: oneDNN 3.11 has no fast kernel for one behind a factor of each row. */
    private static matmul.primitive_desc kernel(Kind kind, memory.desc layout) {
        post_ops after = new post_ops();
        after.append_binary(dnnl.algorithm.binary_mul, described(ScalarType.Float, kind.tokens, 1));
        if (kind.hasBias) {
            after.append_sum();
        }
        if (kind.function != null) {
            after.append_eltwise(kind.function.kind, kind.function.alpha, 0);
        }
        primitive_attr attributes = new primitive_attr();
        attributes.set_scales_mask(dnnl.DNNL_ARG_WEIGHTS, SCALE_OF_EACH_COLUMN);
        attributes.set_post_ops(after);
        boolean mayBeEmpty = false;
        return new matmul.primitive_desc(
                OneDnn.CPU,
                described(ScalarType.Char, kind.tokens, kind.shape.in),
                layout,
                described(kind.type, kind.tokens, kind.shape.out),
                attributes,
                mayBeEmpty);
    }

    /** A matrix of three axes: only among so many does oneDNN have fast kernels for a factor of each row and an order of its own. */
    private static memory.desc described(ScalarType type, long rows, long columns) {
        return OneDnn.description(torch.empty(new long[] {1, rows, columns}, new TensorOptions(type), null));
    }
}
