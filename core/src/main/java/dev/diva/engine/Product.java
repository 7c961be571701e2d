package dev.diva.engine;

import java.util.Arrays;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** A batch of matrix products, with pointwise work on the sums, which are fp32, before they are rounded and stored. */
final class Product {
    private final Tensor a;
    private final Tensor b;
    private final post_ops after = new post_ops();
    private Tensor bias; // or null

    private Product(Tensor a, Tensor b) {
        this.a = a;
        this.b = b;
    }

    /**
     * a b; nothing is computed before {@link #into}.
     *
     * @param a fp32 or bf16 [..., m, k], with any strides
     * @param b same type, [..., k, n], with any strides
     */
    static Product of(Tensor a, Tensor b) {
        return new Product(a, b);
    }

    /** Plus a vector [n] in each row, in the type of a, before all else. */
    Product plus(Tensor vector) {
        long[] shape = new long[Math.toIntExact(a.dim())];
        Arrays.fill(shape, 1);
        shape[shape.length - 1] = vector.size(0);
        bias = vector.view(shape);
        return this;
    }

    /** Then times a number. */
    Product scaled(double factor) {
        after.append_eltwise(dnnl.algorithm.eltwise_linear, (float) factor, 0);
        return this;
    }

    /** Then a function of each number. */
    Product then(Pointwise function) {
        after.append_eltwise(function.kind, function.alpha, 0);
        return this;
    }

    /** Computes all of it and adds it to a tensor [..., m, n], fp32 or of the type of a, with any strides. */
    void addedTo(Tensor sum) {
        after.append_sum();
        into(sum);
    }

    /** Computes all of it into a tensor [..., m, n], fp32 or of the type of a, with any strides. */
    void into(Tensor result) {
        try (PointerScope scope = new PointerScope()) {
            primitive_attr attributes = new primitive_attr();
            attributes.set_post_ops(after);
            matmul.primitive_desc description = new matmul.primitive_desc(
                    OneDnn.CPU,
                    OneDnn.description(a),
                    OneDnn.description(b),
                    bias == null ? new memory.desc() : OneDnn.description(bias),
                    OneDnn.description(result),
                    attributes,
                    false);
            IntMemoryMap arguments = new IntMemoryMap()
                    .put(dnnl.DNNL_ARG_SRC, OneDnn.memory(a))
                    .put(dnnl.DNNL_ARG_WEIGHTS, OneDnn.memory(b))
                    .put(dnnl.DNNL_ARG_DST, OneDnn.memory(result));
            if (bias != null) {
                arguments.put(dnnl.DNNL_ARG_BIAS, OneDnn.memory(bias));
            }
            OneDnn.run(new matmul(description), arguments);
        }
    }
}
