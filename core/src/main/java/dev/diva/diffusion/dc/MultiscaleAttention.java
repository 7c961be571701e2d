package dev.diva.diffusion.dc;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.LinearAttention;
import dev.diva.diffusion.layer.PatchTokens;
import dev.diva.diffusion.layer.PixelNorm;
import dev.diva.diffusion.layer.SideBySide;
import dev.diva.engine.Scopes;
import dev.diva.model.Conv2d;
import dev.diva.model.Heads;
import dev.diva.model.Linear;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Linear attention of pixels to each other, at the scale of single pixels and at those of their neighbourhoods (EfficientViT, arXiv 2205.14756),
 * then a norm.
 */
final class MultiscaleAttention {
    private static final int QUERY_KEY_VALUE = 3;

    private final long headDim;
    private final SideBySide qkv;
    private final List<Scale> scales = new ArrayList<>();
    private final Linear output;
    private final PixelNorm norm;

    /** A further scale: channels looked at with their neighbours, then mixed in groups of a head's width. */
    private record Scale(Conv2d neighbours, Conv2d mix) {
        static Scale of(Weights weights, long channels, long groups, long kernel) {
            return new Scale(
                    Conv2d.groupedWithoutBias(weights.at("proj_in"), channels, channels, kernel),
                    Conv2d.groupedWithoutBias(weights.at("proj_out"), channels, groups, 1));
        }

        Tensor forward(Tensor x) {
            return mix.forward(neighbours.forward(x));
        }
    }

    MultiscaleAttention(Weights weights, long channels, long headDim, List<Long> kernels) {
        this.headDim = headDim;
        this.qkv = SideBySide.apart(
                Linear.withoutBias(weights.at("to_q"), channels, channels),
                Linear.withoutBias(weights.at("to_k"), channels, channels),
                Linear.withoutBias(weights.at("to_v"), channels, channels));
        long all = QUERY_KEY_VALUE * channels;
        for (int i = 0; i < kernels.size(); i++) {
            scales.add(Scale.of(weights.at("to_qkv_multiscale", i), all, all / headDim, kernels.get(i)));
        }
        this.output = Linear.withoutBias(weights.at("to_out"), (1 + kernels.size()) * channels, channels);
        this.norm = new PixelNorm(weights.at("norm_out"), channels);
    }

    /** [batch, channels, h, w] to the same. */
    Tensor forward(Tensor x) {
        return Scopes.returning(() -> {
            long rows = x.size(2);
            long columns = x.size(3);
            List<Tensor> projected = qkv.forward(PatchTokens.of(x));
            Tensor single = torch.cat(new TensorVector(projected.toArray(Tensor[]::new)), 2);
            Tensor image = PatchTokens.toImage(single, rows, columns, 1);
            TensorVector all = new TensorVector(image);
            scales.forEach(scale -> all.push_back(scale.forward(image)));
            Tensor attended = attended(PatchTokens.of(torch.cat(all, 1)));
            return norm.forward(PatchTokens.toImage(output.forward(attended), rows, columns, 1));
        });
    }

    /** Every head takes its queries, keys and values from neighbouring channels. */
    private Tensor attended(Tensor tokens) {
        TensorVector parts = Heads.split(tokens.contiguous(), tokens.size(2) / (QUERY_KEY_VALUE * headDim))
                .chunk(QUERY_KEY_VALUE, 3);
        return Heads.join(LinearAttention.attend(parts.get(0), parts.get(1), parts.get(2)));
    }
}
