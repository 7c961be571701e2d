package dev.diva.engine;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DropoutMaskTest {
    /** Within four standard deviations, of numbers and of neighbours that are kept both; the last is drawn by several threads. */
    @ParameterizedTest
    @CsvSource({"0.1, 100000", "0.5, 100000", "0.05, 100000", "0.9, 100000", "0.1, 300000"})
    void numbersAreKeptAsOftenAsTheyShould(double probability, int count) {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = zeros(3, count / 3);
            DropoutMask mask = DropoutMask.drawn(new long[] {3, 4, 5}, x, probability);
            assertThat(mask.probability()).isCloseTo(probability, within(3e-8));
            Tensor flags = mask.flags(x).to(ScalarType.Float);
            double keep = 1 - probability;
            assertThat(flags.mean().item_double()).isCloseTo(keep, within(4 * deviation(keep, count)));
            Tensor both = flags.narrow(1, 1, count / 3 - 1).mul(flags.narrow(1, 0, count / 3 - 1));
            assertThat(both.mean().item_double()).isCloseTo(keep * keep, within(6 * deviation(keep * keep, count)));
        }
    }

    /** Of as many numbers as no whole word has, too. */
    @ParameterizedTest
    @CsvSource({"7", "63", "64", "65", "1000"})
    void aRowFollowsFromItsSeedAlone(long count) {
        try (PointerScope scope = new PointerScope()) {
            Tensor flags = flags(count, 11, 12, 11);
            assertThat(flags.shape()).containsExactly(3, count);
            assertThat(Tensors.toFloats(flags)).containsOnly(0f, 1f).hasSize(Math.toIntExact(3 * count));
            assertClose(flags.select(0, 2), flags.select(0, 0), 0, 0);
            assertClose(flags(count, 12).select(0, 0), flags.select(0, 1), 0, 0);
            Tensor low = zeros(3, count).to(ScalarType.BFloat16);
            Tensor same = DropoutMask.drawn(new long[] {11, 12, 11}, low, 0.5).flags(low);
            assertThat(same.scalar_type().intern()).isEqualTo(ScalarType.Byte);
            assertClose(same.to(ScalarType.Float), flags, 0, 0);
        }
    }

    /** Runs that go on with another Java drop the same: a half takes a word alone, the first of SplitMix64 as its authors give it. */
    @Test
    void randomBitsAreThoseOfSplitMix() {
        try (PointerScope scope = new PointerScope()) {
            Tensor bits = DropoutMask.drawn(new long[] {0}, zeros(1, 64), 0.5).bits();
            assertThat(Tensors.toLongs(bits)).containsExactly(0xE220_A839_7B1D_CDAFL);
        }
    }

    /** A probability that rounds to 1 would divide by 0, one that rounds to 0 would drop all. */
    @Test
    void probabilitiesNextToTheEndsStayBetweenThem() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = zeros(1, 640);
            DropoutMask most = DropoutMask.drawn(new long[] {1}, x, Math.nextDown(1.0));
            assertThat(most.scale()).isEqualTo(1 << 24);
            assertThat(most.flags(x).sum().item_double()).isZero();
            DropoutMask hardly = DropoutMask.drawn(new long[] {1}, x, 1e-12);
            assertThat(hardly.flags(x).sum().item_double()).isEqualTo(640);
        }
    }

    private static double deviation(double probability, int count) {
        return Math.sqrt(probability * (1 - probability) / count);
    }

    private static Tensor flags(long count, long... seeds) {
        Tensor x = zeros(seeds.length, count);
        return DropoutMask.drawn(seeds, x, 0.5).flags(x).to(ScalarType.Float);
    }

    private static Tensor zeros(long... shape) {
        return torch.zeros(shape, new TensorOptions(ScalarType.Float));
    }
}
