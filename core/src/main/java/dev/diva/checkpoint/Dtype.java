package dev.diva.checkpoint;

import org.bytedeco.pytorch.global.torch.ScalarType;

/** Storage types of tensors, with their names in safetensors headers. */
public enum Dtype {
    F64(8, ScalarType.Double),
    F32(4, ScalarType.Float),
    F16(2, ScalarType.Half),
    BF16(2, ScalarType.BFloat16),
    I64(8, ScalarType.Long),
    I32(4, ScalarType.Int),
    I16(2, ScalarType.Short),
    I8(1, ScalarType.Char),
    U8(1, ScalarType.Byte),
    BOOL(1, ScalarType.Bool);

    private final int bytes;
    private final ScalarType scalarType;

    Dtype(int bytes, ScalarType scalarType) {
        this.bytes = bytes;
        this.scalarType = scalarType;
    }

    /** Size of one element in bytes. */
    public int bytes() {
        return bytes;
    }

    /** The same type in libtorch. */
    public ScalarType scalarType() {
        return scalarType;
    }

    /** Whether it holds real numbers. */
    public boolean isFloating() {
        return this == F64 || this == F32 || this == F16 || this == BF16;
    }

    /**
     * The storage type of a libtorch type.
     *
     * @throws IllegalArgumentException for types that checkpoints do not hold
     */
    public static Dtype of(ScalarType scalarType) {
        for (Dtype dtype : values()) {
            if (dtype.scalarType.intern() == scalarType.intern()) {
                return dtype;
            }
        }
        throw new IllegalArgumentException("no storage type for " + scalarType);
    }
}
