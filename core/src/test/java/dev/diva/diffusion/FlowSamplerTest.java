package dev.diva.diffusion;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class FlowSamplerTest {
    /** Along a straight path the velocity is noise - latent everywhere, so that any number of steps ends at the latent. */
    @Test
    void aStraightPathEndsAtItsLatent() {
        try (PointerScope scope = new PointerScope()) {
            var random = new RandomStreams(1).stream("test");
            Tensor noise = RandomStreams.randn(random, 2, 3, 4, 4);
            Tensor latent = RandomStreams.randn(random, 2, 3, 4, 4);
            for (int steps : new int[] {1, 3, 8}) {
                List<Float> told = new ArrayList<>();
                Tensor sampled = new FlowSampler(steps)
                        .sample(new Straight(noise.sub(latent), told), noise, Condition.of(latent));
                assertClose(sampled, latent, 0, 1e-5);
                assertThat(told).hasSize(steps);
                assertThat(told.get(0)).isEqualTo(1f);
                assertThat(told.get(steps - 1)).isEqualTo(1 - (steps - 1f) / steps);
            }
        }
        assertThatThrownBy(() -> new FlowSampler(0)).hasMessage("0 steps, expected 1 or more");
    }

    /** Levels 3 s / (1 + 2 s) of s = 1, 3/4, 1/2, 1/4; a straight path ends at the latent whatever the steps. */
    @Test
    void aShiftBringsTheLevelsNearerToTheNoise() {
        try (PointerScope scope = new PointerScope()) {
            var random = new RandomStreams(1).stream("test");
            Tensor noise = RandomStreams.randn(random, 1, 3, 4, 4);
            Tensor latent = RandomStreams.randn(random, 1, 3, 4, 4);
            List<Float> told = new ArrayList<>();
            Tensor sampled =
                    new FlowSampler(4, 3).sample(new Straight(noise.sub(latent), told), noise, Condition.of(latent));
            assertClose(sampled, latent, 0, 1e-5);
            assertThat(told).containsExactly(1f, 0.9f, 0.75f, 0.5f);
        }
    }

    private record Straight(Tensor velocity, List<Float> told) implements Denoiser {
        @Override
        public Tensor predict(Tensor zt, Tensor levels, Condition condition) {
            assertThat(levels.size(0)).isEqualTo(zt.size(0));
            told.add(Tensors.toFloats(levels)[0]);
            return velocity.clone();
        }

        @Override
        public long crossAttentionDim() {
            return 1;
        }

        @Override
        public long vectorDim() {
            return 0;
        }

        @Override
        public long latentChannels() {
            return 3;
        }
    }
}
