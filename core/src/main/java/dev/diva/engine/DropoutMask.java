package dev.diva.engine;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Which numbers of a tensor dropout keeps, in a bit each: a backward pass has to remember them.
 *
 * @param bits uint8, what {@link #packed} gives
 * @param probability with which a number was dropped, 0 to less than 1
 */
public record DropoutMask(Tensor bits, double probability) {
    /** Times eight bytes of 0 or 1 as one integer: bit i of the highest byte is byte i. */
    private static final long GATHER = 0x0102_0408_1020_4080L;

    /** Times a byte: that byte eight times. */
    private static final long SPREAD = 0x0101_0101_0101_0101L;

    /** Bit i of byte i. */
    private static final long OWN_BITS = 0x8040_2010_0804_0201L;

    /**
     * Flags as bits, the first of eight lowest.
     *
     * @param keep bool, any shape
     * @return uint8 [numbers / 8, rounded up]
     */
    public static Tensor packed(Tensor keep) {
        return Scopes.returning(() -> {
            long missing = -keep.numel() & (Long.BYTES - 1);
            Tensor flags = keep.reshape(-1);
            Tensor whole = missing == 0 ? flags : torch.cat(new TensorVector(flags, flags.new_zeros(missing)));
            return whole.view(ScalarType.Long)
                    .mul(new Scalar(GATHER))
                    .bitwise_right_shift_(new Scalar(Long.SIZE - Byte.SIZE))
                    .to(ScalarType.Byte);
        });
    }

    /** The numbers of x that are kept, and 0 for the others; {@link #scale} brings back their mean. */
    Tensor appliedTo(Tensor x) {
        return Scopes.returning(() -> x.mul(bits.to(ScalarType.Long)
                .mul_(new Scalar(SPREAD))
                .bitwise_and_(new Scalar(OWN_BITS))
                .view(ScalarType.Byte)
                .clamp_max_(new Scalar(1))
                .narrow(0, 0, x.numel())
                .view(x.shape())
                .to(x.scalar_type())));
    }

    /** What kept numbers are multiplied with, so that their mean stays. */
    double scale() {
        return 1 / (1 - probability);
    }
}
