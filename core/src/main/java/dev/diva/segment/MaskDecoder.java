package dev.diva.segment;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Kernels;
import dev.diva.model.Conv2d;
import dev.diva.model.Linear;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** Side tokens to mask logits and attention biases; both are products with the same vector of each query. */
final class MaskDecoder {
    private final Mlp queryMlp;
    private final Mlp pixelMlp;
    private final Mlp attentionMlp;
    private final Linear biasScaling;
    private final long queries;
    private final long heads;

    /**
     * What a depth of the side network says, on its grid of patches.
     *
     * @param logits of the masks, [batch, queries, rows, columns]
     * @param bias of each attention head of CLIP, [batch, heads, queries, rows, columns]
     */
    record Masks(Tensor logits, Tensor bias) {}

    /** Three layers with ReLU between. */
    private record Mlp(List<UnaryOperator<Tensor>> layers) {
        /** Of tokens, [batch, tokens, width]. */
        static Mlp ofTokens(Weights weights, long... widths) {
            return new Mlp(IntStream.range(0, 3)
                    .mapToObj(i -> Linear.of(weights.at("layers", i), widths[i], widths[i + 1]))
                    .<UnaryOperator<Tensor>>map(layer -> layer::forward)
                    .toList());
        }

        /** Of maps, [batch, width, pixels, 1]: convolutions, as in the authors' code, so that they round as theirs. */
        static Mlp ofMaps(Weights weights, long... widths) {
            return new Mlp(IntStream.range(0, 3)
                    .mapToObj(i -> Conv2d.of(weights.at("layers", i), widths[i], widths[i + 1], Conv2d.Geometry.POINT))
                    .<UnaryOperator<Tensor>>map(layer -> layer::forward)
                    .toList());
        }

        Tensor forward(Tensor x) {
            Tensor first = Kernels.relu(layers.get(0).apply(x));
            return layers.get(2).apply(Kernels.relu(layers.get(1).apply(first)));
        }
    }

    /** @param weights the view under {@code mask_decoder} */
    MaskDecoder(Weights weights, SanShape shape, long heads) {
        long in = shape.width();
        long hidden = shape.decoderHidden();
        long out = shape.decoderWidth();
        this.queryMlp = Mlp.ofTokens(weights.at("query_mlp"), in, hidden, hidden, out);
        this.pixelMlp = Mlp.ofMaps(weights.at("pix_mlp"), in, hidden, hidden, out);
        this.attentionMlp = Mlp.ofMaps(weights.at("attn_mlp"), in, hidden, hidden, out * heads);
        this.biasScaling = Linear.of(weights.at("bias_scaling"), 1, 1);
        this.queries = shape.queries();
        this.heads = heads;
    }

    /**
     * Decodes.
     *
     * @param tokens [batch, queries + rows * columns, width]
     */
    Masks forward(Tensor tokens, long rows, long columns) {
        Tensor map = tokens.narrow(1, queries, rows * columns).transpose(1, 2).unsqueeze(-1); // in one column
        Tensor query = queryMlp.forward(tokens.narrow(1, 0, queries)); // [batch, queries, out]
        Tensor logits = query.matmul(pixelMlp.forward(map).flatten(2, 3));
        Tensor keys = attentionMlp // channel = head * out + e
                .forward(map)
                .reshape(query.size(0), heads, query.size(2), rows * columns);
        Tensor bias = biasScaling
                .forward(query.unsqueeze(1).matmul(keys).unsqueeze(-1))
                .squeeze(-1);
        return new Masks(logits.view(-1, queries, rows, columns), bias.view(-1, heads, queries, rows, columns));
    }
}
