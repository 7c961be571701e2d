package dev.diva.diffusion.layer;

import org.bytedeco.pytorch.Tensor;

/** Between images and their pixels as tokens, row by row. */
final class PixelTokens {
    private PixelTokens() {}

    /** [batch, channels, h, w] to [batch, h * w, channels]. */
    static Tensor of(Tensor image) {
        return image.flatten(2, 3).transpose(1, 2).contiguous();
    }

    /** [batch, h * w, channels] to [batch, channels, h, w] with the height and width of another image. */
    static Tensor toImage(Tensor tokens, Tensor like) {
        return tokens.transpose(1, 2).reshape(tokens.size(0), tokens.size(2), like.size(2), like.size(3));
    }
}
