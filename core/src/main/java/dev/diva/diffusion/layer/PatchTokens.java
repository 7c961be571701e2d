package dev.diva.diffusion.layer;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/** Between a grid of patches and tokens, row by row. */
public final class PatchTokens {
    private PatchTokens() {}

    /**
     * Checks a latent against what a denoiser cuts into patches.
     *
     * @throws IllegalArgumentException when it has other channels, or sides that are no multiples of the patch
     */
    public static void requireLatent(Tensor latent, long channels, long patch) {
        if (latent.dim() != 4
                || latent.size(1) != channels
                || latent.size(2) % patch != 0
                || latent.size(3) % patch != 0) {
            throw new IllegalArgumentException("latent " + Arrays.toString(latent.shape()) + ", expected [batch, "
                    + channels + ", h, w], h and w multiples of " + patch);
        }
    }

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
