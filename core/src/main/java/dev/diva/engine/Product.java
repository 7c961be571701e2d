package dev.diva.engine;

import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** A batch of matrix products, with pointwise work on the sums, which are fp32, before they are rounded and stored. */
final class Product {
    /** From so many rows up to so many, and from so many columns up to so many, {@link #inHalves} is up to twice as fast. */
    private static final long[] ROWS_OF_ONE_THREAD = {768, 1535};

    private static final long[] COLUMNS_OF_ONE_THREAD = {513, 1088};

    private static final Step SUM = new Step(null, 0, null);

    /** Up to so many, converting a takes longer than kernels of fp32 save: measured with 257 to 2,056 rows of 1,024 and 4,096. */
    private static final long FEW_COLUMNS = 32;

    /** Numbers of a that are converted at once where they are many: 64 MiB of fp32. */
    private static final long WIDENED_AT_ONCE = 1L << 24;

    private final Tensor a;
    private final Tensor b;
    private final List<Step> after;
    private Tensor bias; // or null
    private double factor = 1;
    private boolean isSum;
    private boolean isRowByRow;

    /**
     * Of the work on the sums.
     *
     * @param kind null where what the result held before is added
     * @param factor for kinds that have one
     * @param operand null for a function of each number alone
     */
    private record Step(dnnl.algorithm kind, double factor, Tensor operand) {}

    private Product(Tensor a, Tensor b, List<Step> after) {
        this.a = a;
        this.b = b;
        this.after = after;
    }

    /**
     * a b; nothing is computed before {@link #into}.
     *
     * @param a fp32, bf16 or int8 [..., m, k], with any strides
     * @param b same type, or bf16 beside fp32 where {@link OneDnn#isFasterWidened}, [..., k, n], with any strides; sums of int8 are exact
     */
    static Product of(Tensor a, Tensor b) {
        return new Product(a, b, new ArrayList<>());
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
    Product scaled(double by) {
        factor = by;
        after.add(new Step(dnnl.algorithm.eltwise_linear, by, null));
        return this;
    }

    /** Sums of a row in an order that does not depend on the number of rows. */
    Product rowByRow() {
        isRowByRow = true;
        return this;
    }

    /** Then times a tensor of fp32, or of bytes, that is broadcast to the result. */
    Product times(Tensor factors) {
        after.add(new Step(dnnl.algorithm.binary_mul, 0, factors));
        return this;
    }

    /** Then plus a tensor of fp32 that is broadcast to the result. */
    Product added(Tensor summands) {
        after.add(new Step(dnnl.algorithm.binary_add, 0, summands));
        return this;
    }

    /** Then a function of each number. */
    Product then(Pointwise function) {
        after.add(new Step(function.kind, function.alpha, null));
        return this;
    }

    /** Computes all of it and adds it to a tensor [..., m, n], fp32 or of the type of b, with any strides. */
    void addedTo(Tensor sum) {
        isSum = true;
        after.add(SUM);
        into(sum);
    }

    /** Computes all of it into a tensor [..., m, n], fp32 or of the type of b, with any strides. */
    void into(Tensor result) {
        if (OneDnn.isFasterWidened(a.scalar_type()) && result.size(-1) > FEW_COLUMNS) {
            widenedInto(result);
        } else if (isPlain() && Sgemm.isFaster(a, b, result)) {
            if (bias != null) {
                result.copy_(bias);
            }
            Sgemm.multiply(factor, a, b, isSum || bias != null ? 1 : 0, result);
        } else if (isOfOneThread(result)) {
            inHalves(result);
        } else {
            compute(result);
        }
    }

    /** {@link #into} of bf16 by a kernel of fp32: a is converted, and the kernel converts b as it reads it. */
    void widenedInto(Tensor result) {
        boolean isWhole = a.dim() > 2 || after.stream().anyMatch(step -> step.operand != null);
        long rows = result.size(-2);
        long atOnce = isWhole ? rows : Math.max(1, WIDENED_AT_ONCE / a.size(1));
        for (long from = 0; from < rows; from += atOnce) {
            long length = Math.min(atOnce, rows - from);
            try (PointerScope scope = new PointerScope()) {
                Product wide = new Product(a.narrow(-2, from, length).to(ScalarType.Float), b, after);
                wide.bias = bias == null ? null : bias.to(ScalarType.Float);
                wide.compute(result.narrow(-2, from, length));
            }
        }
    }

    private void compute(Tensor result) {
        List<Tensor> tensors = tensors(result);
        LongBuffer key = Prepared.key(dnnl.dnnl_matmul);
        tensors.forEach(tensor -> Prepared.add(key, tensor));
        key.put(bias == null ? 0 : 1);
        for (Step step : after) {
            key.put(step.kind == null ? -1 : step.kind.value).put(Double.doubleToLongBits(step.factor));
        }
        Prepared.of(key, () -> prepared(result)).run(tensors.toArray(Tensor[]::new));
    }

    /** All that a kernel reads or writes. */
    private List<Tensor> tensors(Tensor result) {
        List<Tensor> tensors = new ArrayList<>(List.of(a, b, result));
        if (bias != null) {
            tensors.add(bias);
        }
        after.stream().map(Step::operand).filter(Objects::nonNull).forEach(tensors::add);
        return tensors;
    }

    private Prepared prepared(Tensor result) {
        boolean mayBeEmpty = false;
        matmul.primitive_desc kernel = kernel(result, mayBeEmpty);
        Prepared prepared = new Prepared(new matmul(kernel))
                .with(OneDnn.description(a), dnnl.DNNL_ARG_SRC)
                .with(OneDnn.description(b), dnnl.DNNL_ARG_WEIGHTS)
                .with(OneDnn.description(result), dnnl.DNNL_ARG_DST);
        if (bias != null) {
            prepared.with(OneDnn.description(bias), dnnl.DNNL_ARG_BIAS);
        }
        for (int i = 0; i < after.size(); i++) {
            if (after.get(i).operand != null) {
                int argument = dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (i + 1) | dnnl.DNNL_ARG_SRC_1;
                prepared.with(OneDnn.description(after.get(i).operand), argument);
            }
        }
        return prepared.withScratchpad(kernel.scratchpad_desc());
    }

    /**
     * Whether oneDNN (3.11 as 3.13) would give it to one thread of two with AMX: one block holds all columns then. Measured with ViT-L's and
     * ViT-B's layers; of more threads nothing is known.
     */
    private boolean isOfOneThread(Tensor result) {
        return a.dim() == 2
                && torch.get_num_threads() == 2
                && OneDnn.isOfAmx(a.scalar_type())
                && isWithin(ROWS_OF_ONE_THREAD, result.size(0))
                && isWithin(COLUMNS_OF_ONE_THREAD, result.size(1))
                && result.size(1) % 2 == 0
                && after.stream().allMatch(step -> step.operand == null)
                && (bias == null || after.isEmpty());
    }

    private static boolean isWithin(long[] range, long number) {
        return range[0] <= number && number <= range[1];
    }

    /** As a batch of two products with half of the columns each, of which each thread has one. */
    private void inHalves(Tensor result) {
        if (bias != null) { // a batch has no kernel for one
            result.copy_(bias);
            after.add(SUM);
        }
        new Product(a.unsqueeze(0), halves(b), after).compute(halves(result));
    }

    /** [rows, columns] as [2, rows, columns / 2]. */
    private static Tensor halves(Tensor x) {
        long columns = x.size(1) / 2;
        return x.as_strided(
                new long[] {2, x.size(0), columns}, new long[] {columns * x.stride(1), x.stride(0), x.stride(1)});
    }

    /** Whether a factor, and a bias or a sum, are all that is beside the product. */
    private boolean isPlain() {
        boolean isScaled = factor != 1;
        int steps = (isScaled ? 1 : 0) + (isSum ? 1 : 0);
        return !isRowByRow && after.size() == steps && (bias == null || steps == 0);
    }

    /** Whether it has a kernel for this processor: there may be none, or one that is a hundred times slower. */
    boolean isFast(Tensor result) {
        return OneDnn.isFast(kernelName(result));
    }

    /** Name of its kernel, which begins with the kind and ends with the instructions; nothing where there is none. */
    String kernelName(Tensor result) {
        try (PointerScope scope = new PointerScope()) {
            boolean mayBeEmpty = true; // before AVX-512 there is none for bf16, not even a slow one
            matmul.primitive_desc description = kernel(result, mayBeEmpty);
            return description.asBoolean() ? description.impl_info_str().getString() : "";
        }
    }

    private matmul.primitive_desc kernel(Tensor result, boolean mayBeEmpty) {
        post_ops steps = new post_ops();
        for (Step step : after) {
            if (step.kind == null) {
                steps.append_sum();
            } else if (step.operand == null) {
                steps.append_eltwise(step.kind, (float) step.factor, 0);
            } else {
                steps.append_binary(step.kind, OneDnn.description(step.operand));
            }
        }
        primitive_attr attributes = Prepared.attributes();
        attributes.set_post_ops(steps);
        return new matmul.primitive_desc(
                OneDnn.CPU,
                OneDnn.description(a),
                OneDnn.description(b),
                bias == null ? new memory.desc() : OneDnn.description(bias),
                OneDnn.description(result),
                attributes,
                mayBeEmpty);
    }
}
