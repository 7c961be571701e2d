package dev.diva.diffusion.flux;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.AdaptiveBlock;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Condition tokens and patches with weights of their own, which attend to each other. */
final class DoubleBlock implements FluxBlock {
    private static final double NORM_EPS = 1e-6;

    private final Stream text;
    private final Stream image;

    /** @param weights the view under {@code double_blocks.N} */
    DoubleBlock(Weights weights, FluxConfig config) {
        this.text = new Stream(weights, "txt", config);
        this.image = new Stream(weights, "img", config);
    }

    @Override
    public Tensor forward(Tensor x, Tensor vector, long texts, Rotation rotation) {
        long patches = x.size(1) - texts;
        Tensor txt = x.narrow(1, 0, texts);
        Tensor img = x.narrow(1, texts, patches);
        Tensor active = torch.silu(vector);
        TensorVector txtParts = text.modulation(active);
        TensorVector imgParts = image.modulation(active);
        Tensor attended = Scopes.returning(() -> text.attention(txt, txtParts)
                .followedBy(image.attention(img, imgParts))
                .attend(rotation));
        return torch.cat(
                new TensorVector(
                        text.rest(txt, attended.narrow(1, 0, texts), txtParts),
                        image.rest(img, attended.narrow(1, texts, patches), imgParts)),
                1);
    }

    /** The weights of one of the two. */
    private static final class Stream {
        private static final int PARTS = 6; // shift, scale, gate of the attention, then of the MLP

        private final FluxConfig config;
        private final Linear modulation;
        private final LayerNorm norm;
        private final Linear qkv;
        private final QueryKeyNorm headNorm;
        private final Linear output;
        private final Linear mlpIn;
        private final Linear mlpOut;

        Stream(Weights block, String name, FluxConfig config) {
            long width = config.hiddenSize();
            Weights attention = block.at(name + "_attn");
            this.config = config;
            this.modulation = Linear.of(block.at(name + "_mod").at("lin"), width, PARTS * width);
            this.norm = LayerNorm.withoutWeights(width, NORM_EPS);
            this.qkv = config.qkvBias()
                    ? Linear.of(attention.at("qkv"), width, 3 * width)
                    : Linear.withoutBias(attention.at("qkv"), width, 3 * width);
            this.headNorm = new QueryKeyNorm(attention.at("norm"), config.headDim());
            this.output = Linear.of(attention.at("proj"), width, width);
            this.mlpIn = Linear.of(block.at(name + "_mlp", 0), width, config.mlpWidth());
            this.mlpOut = Linear.of(block.at(name + "_mlp", 2), config.mlpWidth(), width);
        }

        TensorVector modulation(Tensor active) {
            return modulation.forward(active).unsqueeze(1).chunk(PARTS, -1);
        }

        Attended attention(Tensor x, TensorVector m) {
            Tensor modulated = AdaptiveBlock.modulated(norm.forward(x), m.get(0), m.get(1));
            return Attended.of(qkv.forward(modulated), headNorm, config);
        }

        Tensor rest(Tensor x, Tensor attended, TensorVector m) {
            Tensor between =
                    Scopes.returning(() -> x.add(output.forward(attended).mul(m.get(2))));
            return Scopes.returning(() -> {
                Tensor inner = mlpIn.forward(
                        AdaptiveBlock.modulated(norm.forward(between), m.get(3), m.get(4)), Activation.GELU_TANH);
                return between.add(mlpOut.forward(inner).mul(m.get(5)));
            });
        }
    }
}
