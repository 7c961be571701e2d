package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SharingTest {
    @Test
    void everySampleOfEveryStepHasExactlyOneProcess() {
        for (int world : new int[] {1, 2, 3, 4, 6, 8, 12, 24}) {
            int accumulation = 4;
            int batch = 6;
            List<Long> positions = new ArrayList<>();
            for (int rank = 0; rank < world; rank++) {
                Sharing sharing = Sharing.of(rank, world, accumulation, batch);
                assertThat(sharing.images()).isEqualTo(24 / world);
                for (int n = 0; n < 3 * sharing.images(); n++) { // three steps
                    long position = sharing.position(n);
                    positions.add(position);
                    assertThat(position / 24).isEqualTo(n / sharing.images());
                    assertThat(sharing.isMine(position / batch)).isTrue();
                }
            }
            assertThat(positions.stream().sorted().toList())
                    .isEqualTo(LongStream.range(0, 72).boxed().toList());
        }
    }

    @Test
    void theLastMicroBatchOfEachProcessIsKnown() {
        Sharing sharing = Sharing.of(1, 4, 6, 2); // two groups of three micro-batches, two slices
        assertThat(List.of(sharing.isLast(1), sharing.isLast(3), sharing.isLast(5)))
                .containsExactly(false, false, true);
        assertThat(sharing.isMine(4)).isFalse();
    }

    @Test
    void unevenSharesAreRefused() {
        assertThatThrownBy(() -> Sharing.of(0, 5, 4, 6))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("5 processes cannot share the 24 images of a step");
    }
}
