package dev.diva.diffusion.layer;

import dev.diva.engine.Attention;
import dev.diva.model.Heads;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Queries, keys and values of tokens, each [batch, heads, tokens, headDim], the former two normed. */
public record Attended(Tensor q, Tensor k, Tensor v) {
    /** @param projected queries, keys, values and perhaps more, each [batch, tokens, heads * headDim] */
    public static Attended of(List<Tensor> projected, long heads, QueryKeyNorm norm) {
        return new Attended(
                norm.queries(Heads.split(projected.get(0), heads)),
                norm.keys(Heads.split(projected.get(1), heads)),
                Heads.split(projected.get(2), heads));
    }

    /** The tokens of both streams. */
    Attended followedBy(Attended other) {
        return new Attended(
                torch.cat(new TensorVector(q, other.q), 2),
                torch.cat(new TensorVector(k, other.k), 2),
                torch.cat(new TensorVector(v, other.v), 2));
    }

    /**
     * Every token attends to every token.
     *
     * @param turn what positions do to queries and keys
     * @return [batch, tokens, width]
     */
    public Tensor attend(UnaryOperator<Tensor> turn) {
        return Heads.join(Attention.attend(turn.apply(q), turn.apply(k), v, false));
    }
}
