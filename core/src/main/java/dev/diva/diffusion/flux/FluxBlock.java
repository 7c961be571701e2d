package dev.diva.diffusion.flux;

import dev.diva.engine.Attention;
import dev.diva.model.Heads;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A block over condition tokens followed by patches. */
interface FluxBlock {
    /**
     * Computes the block.
     *
     * @param x [batch, tokens, width]
     * @param vector [batch, width]
     * @param texts how many of the tokens are the condition's, which come first
     * @return as x
     */
    Tensor forward(Tensor x, Tensor vector, long texts, Rotation rotation);

    /** Queries, keys and values of a stream, each [batch, heads, tokens, headDim], the former two normed. */
    record Attended(Tensor q, Tensor k, Tensor v) {
        /** @param qkv [batch, tokens, 3 * heads * headDim]: which of the three is slowest */
        static Attended of(Tensor qkv, QueryKeyNorm norm, FluxConfig config) {
            Tensor split = qkv.view(qkv.size(0), qkv.size(1), 3, config.numHeads(), config.headDim())
                    .permute(2, 0, 3, 1, 4);
            return new Attended(norm.queries(split.select(0, 0)), norm.keys(split.select(0, 1)), split.select(0, 2));
        }

        /** The tokens of both streams. */
        Attended followedBy(Attended other) {
            return new Attended(
                    torch.cat(new TensorVector(q, other.q), 2),
                    torch.cat(new TensorVector(k, other.k), 2),
                    torch.cat(new TensorVector(v, other.v), 2));
        }

        /** [batch, tokens, width]. */
        Tensor attend(Rotation rotation) {
            return Heads.join(Attention.attend(rotation.apply(q), rotation.apply(k), v, false));
        }
    }
}
