package dev.diva.engine;

import java.nio.LongBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** The processor's kernels of oneDNN on tensors of libtorch, for what libtorch does slowly or has no call for. */
final class OneDnn {
    static final engine CPU = Scopes.keep(new engine(engine.kind.cpu, 0));
    static final stream STREAM = Scopes.keep(new stream(CPU));

    static {
        dnnl.set_primitive_cache_capacity(Prepared.MOST); // instead of 1,024, for all threads together
    }

    private static final Map<ScalarType, String> KERNELS = new ConcurrentHashMap<>();

    private OneDnn() {}

    /** Whether a tensor is this processor's and of a type that it {@link #isFast(ScalarType) multiplies well}; all others are libtorch's. */
    static boolean isFast(Tensor tensor) {
        return tensor.is_cpu() && isFast(tensor.scalar_type());
    }

    /** Whether it multiplies matrices of this type with kernels for this processor: not in bf16 before AVX-512, not at all on some. */
    static boolean isFast(ScalarType type) {
        return isFast(kernel(type));
    }

    /** Whether there is a kernel of that name, and not one that is a hundred times slower. */
    static boolean isFast(String kernel) {
        return !kernel.isEmpty() && !kernel.contains("ref");
    }

    /** Whether its kernel for products of this type is of AVX2, the widest that this processor has. */
    static boolean isOfAvx2(ScalarType type) {
        return kernel(type).contains("avx2");
    }

    /** Whether its kernel for products of this type is of AMX. */
    static boolean isOfAmx(ScalarType type) {
        return kernel(type).contains("amx");
    }

    /**
     * Whether kernels of fp32 take less time for products of this type. They widen one factor of bf16 as they read it, so that only the other
     * is converted before; all numbers of bf16 are numbers of fp32, and sums are fp32 in both.
     */
    static boolean isFasterWidened(ScalarType type) {
        return type.intern() == ScalarType.BFloat16 && Widening.IS_FASTER;
    }

    /**
     * Whether a processor multiplies bf16 more slowly than fp32 with AVX-512: where it emulates it, at a quarter of the pace, and where it is
     * Intel's and has no tiles, at 0.6; AMD's multiplies twice as many numbers of bf16.
     *
     * @param ofBf16 name of its kernel for bf16
     * @param widening name of its kernel for a factor of each
     */
    static boolean isFasterWidened(String ofBf16, String widening, boolean isIntel) {
        boolean isEmulated = !ofBf16.contains("avx512_core_bf16");
        return widening.contains("avx512") && !ofBf16.contains("amx") && (isEmulated || isIntel);
    }

    /** Found once. */
    private static final class Widening {
        static final boolean IS_FASTER =
                isFasterWidened(kernel(ScalarType.BFloat16), wideningKernel(), CpuInfo.isOfIntel());
    }

    /** Name of the kernel for products of this type, or nothing. */
    private static String kernel(ScalarType type) {
        return KERNELS.computeIfAbsent(type.intern(), OneDnn::findKernel);
    }

    private static String findKernel(ScalarType type) {
        return type == ScalarType.Float || type == ScalarType.BFloat16 ? findKernel(type, type) : "";
    }

    /** Name of the kernel for a factor of fp32 and one of bf16, which it widens, or of one that is a hundred times slower. */
    static String wideningKernel() {
        return findKernel(ScalarType.Float, ScalarType.BFloat16);
    }

    private static String findKernel(ScalarType ofA, ScalarType ofB) {
        try (PointerScope scope = new PointerScope()) {
            Tensor a = torch.empty(new long[] {64, 64}, new TensorOptions(ofA), null);
            Tensor b = torch.empty(new long[] {64, 64}, new TensorOptions(ofB), null);
            return Product.of(a, b).kernelName(b);
        }
    }

    /** a b number by number, of equal shapes, in the type of a. */
    static Tensor times(Tensor a, Tensor b) {
        Tensor product = torch.empty_like(a);
        multiply(a, b, product);
        return product;
    }

    /** a b number by number, of which b may be broadcast to a, into a tensor of the shape of a. */
    static void multiply(Tensor a, Tensor b, Tensor product) {
        LongBuffer key = Prepared.key(dnnl.dnnl_binary);
        Prepared.add(key, a);
        Prepared.add(key, b);
        Prepared.add(key, product);
        Prepared.of(key, () -> {
                    memory.desc ofA = description(a);
                    memory.desc ofB = description(b);
                    memory.desc ofProduct = description(product);
                    return new Prepared(new binary(
                                    new binary.primitive_desc(CPU, dnnl.algorithm.binary_mul, ofA, ofB, ofProduct)))
                            .with(ofA, dnnl.DNNL_ARG_SRC_0)
                            .with(ofB, dnnl.DNNL_ARG_SRC_1)
                            .with(ofProduct, dnnl.DNNL_ARG_DST);
                })
                .run(a, b, product);
    }

    /** Shape, strides and type. */
    static memory.desc description(Tensor tensor) {
        long[] strides = new long[Math.toIntExact(tensor.dim())];
        for (int i = 0; i < strides.length; i++) {
            strides[i] = tensor.stride(i);
        }
        return new memory.desc(tensor.shape(), type(tensor.scalar_type()), strides);
    }

    private static memory.data_type type(ScalarType type) {
        return switch (type.intern()) {
            case Float -> memory.data_type.f32;
            case BFloat16 -> memory.data_type.bf16;
            case Char -> memory.data_type.s8;
            case Byte -> memory.data_type.u8;
            default -> throw new IllegalArgumentException("no kernels for " + type);
        };
    }
}
