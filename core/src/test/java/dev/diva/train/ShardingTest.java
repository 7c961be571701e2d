package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ShardingTest {
    @Test
    void everySampleOfEveryStepHasExactlyOneProcess() {
        for (int worldSize : new int[] {1, 2, 3, 4, 6, 8, 12, 24}) {
            int accumulation = 4;
            int batch = 6;
            List<Long> positions = new ArrayList<>();
            for (int rank = 0; rank < worldSize; rank++) {
                Sharding sharding = Sharding.of(rank, worldSize, accumulation, batch);
                assertThat(sharding.images()).isEqualTo(24 / worldSize);
                for (int n = 0; n < 3 * sharding.images(); n++) { // three steps
                    long position = sharding.position(n);
                    positions.add(position);
                    assertThat(position / 24).isEqualTo(n / sharding.images());
                    assertThat(sharding.isMine(position / batch)).isTrue();
                }
            }
            assertThat(positions.stream().sorted().toList())
                    .isEqualTo(LongStream.range(0, 72).boxed().toList());
        }
    }

    @Test
    void theLastMicroBatchOfEachProcessIsKnown() {
        Sharding sharding = Sharding.of(1, 4, 6, 2); // two micro-batches at once, each split by two ranks
        assertThat(List.of(sharding.isLast(1), sharding.isLast(3), sharding.isLast(5)))
                .containsExactly(false, false, true);
        assertThat(sharding.isMine(4)).isFalse();
    }

    @Test
    void splitMicroBatchesAreRefusedToThoseWhoNeedThemWhole() {
        Sharding.of(0, 4, 4, 2).requireWholeMicroBatches("this");
        assertThatThrownBy(() -> Sharding.of(0, 8, 4, 2).requireWholeMicroBatches("this"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "this needs whole micro-batches; use a number of processes that divides train.accumulate 4");
    }

    @Test
    void unevenShardsAreRefused() {
        assertThatThrownBy(() -> Sharding.of(0, 5, 4, 6))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("5 processes cannot share the 24 images of a step");
    }
}
