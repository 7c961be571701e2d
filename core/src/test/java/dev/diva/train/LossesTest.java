package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.Tensors;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;

class LossesTest {
    @Test
    void numbersOfTensorsComeBeforeThoseThatWereKnownAndOutliveTheirScope() {
        Losses losses;
        try (PointerScope scope = new PointerScope()) {
            losses = Losses.of(Tensors.of(new float[] {1, 2}, 2))
                    .and(7, 8)
                    .and(Losses.of(Tensors.of(new float[] {3}, 1).squeeze()).and(9));
        }
        assertThat(losses.values()).containsExactly(1, 2, 3, 7, 8, 9);
        assertThat(losses.values()).containsExactly(1, 2, 3, 7, 8, 9);
    }

    @Test
    void numbersOfAllAreReadTogether() {
        try (PointerScope scope = new PointerScope()) {
            Losses first = Losses.of(Tensors.of(new float[] {1}, 1));
            Losses second = Losses.of().and(2);
            Losses third = Losses.of(Tensors.of(new float[] {3, 4}, 2)).and(5);
            Losses.read(List.of(first, second, third));
            assertThat(first.values()).containsExactly(1);
            assertThat(second.values()).containsExactly(2);
            assertThat(third.values()).containsExactly(3, 4, 5);
        }
    }
}
