package dev.diva.diffusion.flux;

import org.bytedeco.pytorch.Tensor;

/** Between latents and their 2 x 2 patches; the channel is the slowest of the features of a patch. */
final class Patches {
    private Patches() {}

    /** [batch, channels, h, w] to [batch, h / 2 * w / 2, channels * 4], row by row. */
    static Tensor of(Tensor latents) {
        long batch = latents.size(0);
        long channels = latents.size(1);
        long rows = latents.size(2) / 2;
        long columns = latents.size(3) / 2;
        return latents.reshape(batch, channels, rows, 2, columns, 2)
                .permute(0, 2, 4, 1, 3, 5)
                .reshape(batch, rows * columns, channels * 4);
    }

    /** The way back, of a grid of so many rows and columns. */
    static Tensor join(Tensor patches, long rows, long columns) {
        long batch = patches.size(0);
        long channels = patches.size(2) / 4;
        return patches.reshape(batch, rows, columns, channels, 2, 2)
                .permute(0, 3, 1, 4, 2, 5)
                .reshape(batch, channels, 2 * rows, 2 * columns);
    }
}
