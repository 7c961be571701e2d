package dev.diva.engine;

import java.nio.LongBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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

    /** They live as long as the program: models have few shapes. */
    private static final Map<Shape, memory.desc> LAYOUTS = new ConcurrentHashMap<>();

    private record Shape(long in, long out) {}

    /** Rounds a weight [out, in], fp32 or bf16, row by row as {@link Int8Rows} does. */
    public static Int8Weight of(Tensor weight) {
        Int8Rows rows = Int8Rows.of(weight);
        memory.desc layout = layout(new Shape(weight.size(1), weight.size(0)));
        Tensor values = torch.empty(new long[] {layout.get_size()}, new TensorOptions(ScalarType.Char), null);
        try (PointerScope scope = new PointerScope()) {
            Tensor columns = rows.values().t().unsqueeze(0);
            memory stored = new memory(OneDnn.description(columns), OneDnn.CPU, columns.data_ptr());
            memory packed = new memory(layout, OneDnn.CPU, values.data_ptr());
            new reorder(stored, packed).execute(OneDnn.STREAM, stored, packed);
            OneDnn.STREAM._wait();
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
        Tensor tokens = x.values().unsqueeze(0);
        Tensor scalesOfTokens = x.scales().unsqueeze(0);
        Tensor result = y.unsqueeze(0);
        LongBuffer key = Prepared.key(dnnl.dnnl_matmul);
        Prepared.add(key, tokens);
        Prepared.add(key, result);
        key.put(bias == null ? 0 : 1);
        if (function != null) {
            function.addTo(key);
        }
        Prepared.of(key, () -> {
                    memory.desc ofTokens = OneDnn.description(tokens);
                    memory.desc ofResult = OneDnn.description(result);
                    memory.desc layout = layout(new Shape(tokens.size(2), y.size(1)));
                    matmul.primitive_desc kernel =
                            kernel(ofTokens, layout, ofResult, y.size(0), bias != null, function);
                    return new Prepared(new matmul(kernel))
                            .with(ofTokens, dnnl.DNNL_ARG_SRC)
                            .with(layout, dnnl.DNNL_ARG_WEIGHTS)
                            .with(ofResult, dnnl.DNNL_ARG_DST)
                            .with(OneDnn.description(scales), dnnl.DNNL_ARG_ATTR_SCALES | dnnl.DNNL_ARG_WEIGHTS)
                            .with(
                                    OneDnn.description(scalesOfTokens),
                                    dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | dnnl.DNNL_ARG_SRC_1)
                            .withScratchpad(kernel.scratchpad_desc());
                })
                .run(tokens, values, result, scales, scalesOfTokens);
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
        memory.desc tokens = described(ScalarType.Char, TOKENS, shape.in);
        return kernel(tokens, any, described(Precision.INT8.dtype(), TOKENS, shape.out), TOKENS, true, Pointwise.GELU);
    }

    /** A bias lies in y, as the sum to which the product is added: oneDNN 3.11 has no fast kernel for one behind a factor of each row. */
    private static matmul.primitive_desc kernel(
            memory.desc x, memory.desc weight, memory.desc y, long tokens, boolean hasBias, Pointwise function) {
        post_ops after = new post_ops();
        after.append_binary(dnnl.algorithm.binary_mul, described(ScalarType.Float, tokens, 1));
        if (hasBias) {
            after.append_sum();
        }
        if (function != null) {
            after.append_eltwise(function.kind, function.alpha, 0);
        }
        primitive_attr attributes = Prepared.attributes();
        attributes.set_scales_mask(dnnl.DNNL_ARG_WEIGHTS, SCALE_OF_EACH_COLUMN);
        attributes.set_post_ops(after);
        boolean mayBeEmpty = false;
        return new matmul.primitive_desc(OneDnn.CPU, x, weight, y, attributes, mayBeEmpty);
    }

    /** A matrix of three axes: only among so many does oneDNN have fast kernels for a factor of each row and an order of its own. */
    private static memory.desc described(ScalarType type, long rows, long columns) {
        return OneDnn.description(torch.empty(new long[] {1, rows, columns}, new TensorOptions(type), null));
    }
}
