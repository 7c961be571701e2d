package dev.diva.segment;

import dev.diva.checkpoint.Weights;
import dev.diva.model.Linear;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Side tokens to mask logits and attention biases; both are products with the same vector of each query. */
final class MaskDecoder {
    private final PointMlp queryMlp;
    private final PointMlp pixelMlp;
    private final PointMlp attentionMlp;
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

    /** A layer on each token; the kernel of a 1 x 1 convolution is looked at as a matrix when it is used. */
    private record Point(Tensor weight, Tensor bias) {
        Tensor forward(Tensor x) {
            return Linear.of(weight.flatten(1, -1), bias).forward(x);
        }
    }

    /** Three of them with ReLU between. */
    private record PointMlp(List<Point> layers) {
        static PointMlp of(Weights weights, boolean isConvolution, long... widths) {
            List<Point> layers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Weights layer = weights.at("layers", i);
                long in = widths[i];
                long out = widths[i + 1];
                Tensor kernel = isConvolution ? layer.matrix("weight", out, in, 1, 1) : layer.matrix("weight", out, in);
                layers.add(new Point(kernel, layer.matrix("bias", out)));
            }
            return new PointMlp(layers);
        }

        Tensor forward(Tensor x) {
            Tensor first = layers.get(0).forward(x).relu();
            return layers.get(2).forward(layers.get(1).forward(first).relu());
        }
    }

    /** @param weights the view under {@code mask_decoder} */
    MaskDecoder(Weights weights, SanShape shape, long heads) {
        long in = shape.width();
        long hidden = shape.decoderHidden();
        long out = shape.decoderWidth();
        this.queryMlp = PointMlp.of(weights.at("query_mlp"), false, in, hidden, hidden, out);
        this.pixelMlp = PointMlp.of(weights.at("pix_mlp"), true, in, hidden, hidden, out);
        this.attentionMlp = PointMlp.of(weights.at("attn_mlp"), true, in, hidden, hidden, out * heads);
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
        Tensor patches = tokens.narrow(1, queries, rows * columns);
        Tensor query = queryMlp.forward(tokens.narrow(1, 0, queries)); // [batch, queries, out]
        Tensor logits = query.matmul(pixelMlp.forward(patches).transpose(1, 2));
        Tensor keys = attentionMlp // channel = head * out + e
                .forward(patches)
                .view(query.size(0), rows * columns, heads, query.size(2))
                .permute(0, 2, 3, 1);
        Tensor bias = biasScaling
                .forward(query.unsqueeze(1).matmul(keys).unsqueeze(-1))
                .squeeze(-1);
        return new Masks(logits.view(-1, queries, rows, columns), bias.view(-1, heads, queries, rows, columns));
    }
}
