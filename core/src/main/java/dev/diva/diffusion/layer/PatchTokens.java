package dev.diva.diffusion.layer;

import org.bytedeco.pytorch.Tensor;

/** Between a grid of patches and tokens, row by row. */
public final class PatchTokens {
    private PatchTokens() {}

    /** [batch, width, rows, columns] to [batch, rows * columns, width]. */
    public static Tensor of(Tensor grid) {
        return grid.flatten(2, 3).transpose(1, 2);
    }

    /**
     * The image of tokens whose features are the pixels of a patch, the channel the fastest of them.
     *
     * @param tokens [batch, rows * columns, patch * patch * channels]
     * @return [batch, channels, rows * patch, columns * patch]
     */
    public static Tensor toImage(Tensor tokens, long rows, long columns, long patch) {
        long batch = tokens.size(0);
        long channels = tokens.size(2) / (patch * patch);
        return tokens.reshape(batch, rows, columns, patch, patch, channels)
                .permute(0, 5, 1, 3, 2, 4)
                .reshape(batch, channels, rows * patch, columns * patch);
    }
}
