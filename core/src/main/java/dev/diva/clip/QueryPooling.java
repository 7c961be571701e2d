package dev.diva.clip;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Attention;
import dev.diva.model.Heads;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The attentional pooler of open_clip's CoCa: learned queries, normed, attend to all tokens, normed. Where the tokens are as wide as the
 * queries, torch keeps the matrices of queries, keys and values as one.
 */
final class QueryPooling {
    private static final double EPS = 1e-5; // whatever norm_kwargs says of the layers

    private final Tensor query; // [queries, width]
    private final LayerNorm queryNorm;
    private final LayerNorm tokenNorm;
    private final List<Tensor> matrices; // of queries, keys and values, or the three as one
    private final Tensor bias; // [3 * width]
    private final Linear output;
    private final long width;
    private final long heads;

    /**
     * Reads the head.
     *
     * @param weights the view under {@code head}
     * @param tokenWidth of the tokens
     * @param width of the queries and of what is pooled
     */
    QueryPooling(Weights weights, VisionForm.Pool pool, long tokenWidth, long width) {
        this.width = width;
        this.heads = pool.heads();
        this.query = weights.matrix("query", pool.queries(), width);
        this.queryNorm = new LayerNorm(weights.at("query_norm"), width, EPS);
        this.tokenNorm = new LayerNorm(weights.at("token_norm"), tokenWidth, EPS);
        Weights attention = weights.at("attention");
        this.matrices = tokenWidth == width
                ? List.of(attention.matrix("in_proj_weight", 3 * width, width))
                : List.of(
                        attention.matrix("q_proj_weight", width, width),
                        attention.matrix("k_proj_weight", width, tokenWidth),
                        attention.matrix("v_proj_weight", width, tokenWidth));
        this.bias = attention.matrix("in_proj_bias", 3 * width);
        this.output = Linear.of(attention.at("out_proj"), width, width);
    }

    /** [batch, tokens, tokenWidth] to [batch, queries, width]. */
    Tensor forward(Tensor tokens) {
        return forward(tokens, query);
    }

    /** The first query alone: [batch, 1, width]. */
    Tensor first(Tensor tokens) {
        return forward(tokens, query.narrow(0, 0, 1));
    }

    /** What a query would take of each token if it attended to that alone: [batch, tokens, tokenWidth] to [batch, tokens, width]. */
    Tensor valuePath(Tensor tokens) {
        return output.forward(inProj(2).forward(tokenNorm.forward(tokens)));
    }

    private Tensor forward(Tensor tokens, Tensor asked) {
        Tensor normed = tokenNorm.forward(tokens);
        Tensor q = inProj(0)
                .forward(queryNorm.forward(asked.to(tokens.scalar_type()).unsqueeze(0)));
        Tensor attended = Attention.attend(
                Heads.split(q.expand(tokens.size(0), -1, -1).contiguous(), heads),
                Heads.split(inProj(1).forward(normed), heads),
                Heads.split(inProj(2).forward(normed), heads),
                false);
        return output.forward(Heads.join(attended));
    }

    private Linear inProj(int part) {
        long from = part * width;
        Tensor matrix = matrices.size() == 1 ? matrices.get(0).narrow(0, from, width) : matrices.get(part);
        return Linear.of(matrix, bias.narrow(0, from, width));
    }
}
