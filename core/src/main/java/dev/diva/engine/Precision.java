package dev.diva.engine;

import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Number format of matrix products and convolutions. Norms, softmax, losses and optimisers are fp32 in each, and so are
 * the masters of trained weights.
 */
public enum Precision {
    FP32(ScalarType.Float),
    BF16(ScalarType.BFloat16),
    /** Whole numbers, as {@link Int8Linear} multiplies them, in the layers of image towers; all else as the processor is fastest. */
    INT8(null);

    private final ScalarType dtype; // null: as the machine

    Precision(ScalarType dtype) {
        this.dtype = dtype;
    }

    /** The libtorch type of activations and of frozen matrices that are no int8. */
    public ScalarType dtype() {
        return this == INT8 ? fastest().dtype : dtype;
    }

    /** BF16 where this processor has instructions for it (AMX or AVX512-BF16): half the memory, as fast as fp32 or faster. Otherwise FP32. */
    public static Precision fastest() {
        return CpuInfo.hasBf16() ? BF16 : FP32;
    }

    /** The faster one on a device by its name: BF16 on every GPU. */
    public static Precision fastest(String device) {
        return device.startsWith("cuda") ? BF16 : fastest();
    }
}
