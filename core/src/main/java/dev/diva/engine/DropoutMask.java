package dev.diva.engine;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Which numbers of a tensor dropout keeps, in a bit each: a backward pass has to remember them.
 *
 * @param bits int64 [rows, words]: those of a row's numbers, in order, then bits that mean nothing
 * @param probability with which a number was dropped, 0 to less than 1
 */
public record DropoutMask(Tensor bits, double probability) {
    /** Digits of the binary fraction that a probability is rounded to, as many as a float has. */
    private static final int DIGITS = 24;

    /** Times a byte: that byte eight times. */
    private static final long SPREAD = 0x0101_0101_0101_0101L;

    /** Bit i of byte i. */
    private static final long OWN_BITS = 0x8040_2010_0804_0201L;

    /** Numbers from which threads draw rows side by side. */
    private static final long MANY = 1 << 18;

    /**
     * Draws a mask.
     *
     * @param seeds of rows: equal seeds drop alike
     * @param x to be masked, [rows, ...]
     * @param probability with which a number is dropped, 0 to less than 1
     */
    public static DropoutMask drawn(long[] seeds, Tensor x, double probability) {
        int words = Math.toIntExact((x.numel() / seeds.length + Long.SIZE - 1) / Long.SIZE);
        long whole = 1L << DIGITS;
        long kept = Math.max(1, Math.min(Math.round((1 - probability) * whole), whole - 1));
        IntStream rows = IntStream.range(0, seeds.length);
        long[] bits = (x.numel() < MANY ? rows : rows.parallel())
                .mapToObj(row -> drawn(seeds[row], words, kept))
                .flatMapToLong(Arrays::stream)
                .toArray();
        Tensor all = Tensors.of(bits, seeds.length, words);
        return new DropoutMask(Tensors.onto(all, x.device(), ScalarType.Long), 1 - kept / (double) whole);
    }

    /**
     * Words whose bits are 1 with a probability of kept / 2^24 each: of its binary digits, from the last one that is 1, each takes a word of
     * random bits; a digit of 1 joins it to the result so far by or, one of 0 by and.
     */
    private static long[] drawn(long seed, int words, long kept) {
        SplittableRandom random = new SplittableRandom(seed);
        long[] bits = new long[words];
        for (int i = 0; i < words; i++) {
            long word = 0;
            for (int digit = Long.numberOfTrailingZeros(kept); digit < DIGITS; digit++) {
                long drawn = random.nextLong();
                word = (kept >> digit & 1) == 1 ? word | drawn : word & drawn;
            }
            bits[i] = word;
        }
        return bits;
    }

    /**
     * 1 for the numbers that are kept and 0 for the others; {@link #scale} brings back their mean.
     *
     * @param x what was to be masked, or a tensor of its shape
     * @return bytes in the shape of x
     */
    public Tensor flags(Tensor x) {
        return Scopes.returning(() -> bits.view(ScalarType.Byte)
                .to(ScalarType.Long)
                .mul_(new Scalar(SPREAD))
                .bitwise_and_(new Scalar(OWN_BITS))
                .view(ScalarType.Byte)
                .clamp_max_(new Scalar(1))
                .narrow(1, 0, x.numel() / x.size(0))
                .reshape(x.shape()));
    }

    /** What kept numbers are multiplied with, so that their mean stays. */
    double scale() {
        return 1 / (1 - probability);
    }
}
