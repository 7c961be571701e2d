package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Two linear layers {@code linear_1}, {@code linear_2} with SiLU between them: diffusers' TimestepEmbedding. */
public final class EmbeddingMlp {
    private final Linear linear1;
    private final Linear linear2;

    public EmbeddingMlp(Weights weights, long in, long width) {
        this(weights.at("linear_1"), weights.at("linear_2"), in, width);
    }

    private EmbeddingMlp(Weights first, Weights second, long in, long width) {
        this.linear1 = Linear.of(first, in, width);
        this.linear2 = Linear.of(second, width, width);
    }

    /** The same under other names. */
    public static EmbeddingMlp of(Weights first, Weights second, long in, long width) {
        return new EmbeddingMlp(first, second, in, width);
    }

    /** [batch, in] to [batch, width]. */
    public Tensor forward(Tensor x) {
        return linear2.forward(torch.silu(linear1.forward(x)));
    }
}
