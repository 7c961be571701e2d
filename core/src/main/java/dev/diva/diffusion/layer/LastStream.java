package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import org.bytedeco.pytorch.Tensor;

/** Tokens that nothing looks at after the block: they bring something to the attention, and take nothing from it. */
final class LastStream implements JointStream {
    private final ModulatedNorm norm;
    private final StreamAttention attention;

    /** @param norm the view under diffusers' {@code norm1_context} */
    LastStream(Weights norm, StreamAttention attention, long width) {
        this.norm = ModulatedNorm.scaleFirst(norm.at("linear"), width);
        this.attention = attention;
    }

    @Override
    public Pass pass(Tensor x, Tensor vector) {
        return new Pass() {
            @Override
            public Attended attended() {
                return attention.of(norm.forward(x, vector));
            }

            @Override
            public Tensor rest(Tensor taken) {
                return x;
            }
        };
    }
}
