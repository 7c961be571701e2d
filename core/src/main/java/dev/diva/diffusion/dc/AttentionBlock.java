package dev.diva.diffusion.dc;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.GatedConvolution;
import dev.diva.diffusion.layer.PixelNorm;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** x + attention(x), then x + norm(convolution(x)): diffusers' {@code EfficientViTBlock}. */
public final class AttentionBlock {
    private static final long MLP_RATIO = 4;

    private final MultiscaleAttention attention;
    private final GatedConvolution convolution;
    private final PixelNorm norm;

    /**
     * Reads a block.
     *
     * @param headDim width of a head; channels are a multiple of it
     * @param kernels of the further scales that pixels attend at
     */
    public AttentionBlock(Weights weights, long channels, long headDim, List<Long> kernels) {
        this.attention = new MultiscaleAttention(weights.at("attn"), channels, headDim, kernels);
        this.convolution = new GatedConvolution(weights.at("conv_out"), channels, MLP_RATIO * channels);
        this.norm = new PixelNorm(weights.at("conv_out").at("norm"), channels);
    }

    /** [batch, channels, h, w] to the same. */
    public Tensor forward(Tensor x) {
        Tensor attended = x.add(attention.forward(x));
        return attended.add(norm.forward(convolution.forward(attended)));
    }
}
