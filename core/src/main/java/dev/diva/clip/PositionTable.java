package dev.diva.clip;

import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Learned positions of a square grid of patches, for another grid. */
public final class PositionTable {
    private PositionTable() {}

    /**
     * Resizes bicubically (half-pixel centres, a = -0.75, no antialiasing) where the grid is another one; gradients go through it.
     *
     * @param table [leading + side * side, width], in rows of the grid
     * @param leading tokens before the patches, which stay as they are
     * @return [leading + height * width, width]
     */
    public static Tensor resized(Tensor table, long leading, long height, long width) {
        long side = Math.round(Math.sqrt(table.size(0) - leading));
        if (height == side && width == side) {
            return table;
        }
        Tensor grid =
                table.narrow(0, leading, side * side).to(ScalarType.Float).t().reshape(1, table.size(1), side, side);
        Tensor resized = torch.upsample_bicubic2d(
                        grid, new long[] {height, width}, false, new DoubleOptional(), new DoubleOptional())
                .flatten(2, 3)
                .select(0, 0)
                .t();
        return torch.cat(new TensorVector(table.narrow(0, 0, leading).to(ScalarType.Float), resized), 0);
    }

    /**
     * Resizes bilinearly with antialiasing (half-pixel centres, a triangle as wide as the larger step), as SigLIP 2 NaFlex does; gradients
     * go through it.
     *
     * @param table [side * side, width], in rows of the grid
     * @return [height * width, width]
     */
    public static Tensor antialiased(Tensor table, long height, long width) {
        int side = (int) Math.round(Math.sqrt(table.size(0)));
        long channels = table.size(1);
        Tensor grid = table.to(ScalarType.Float).view(side, side * channels);
        Tensor rows = weights(side, (int) height).to(table.device(), ScalarType.Float);
        Tensor columns = weights(side, (int) width).to(table.device(), ScalarType.Float);
        Tensor resizedRows = rows.matmul(grid).view(height, side, channels);
        return columns.matmul(resizedRows).view(height * width, channels);
    }

    /** What each of the old places contributes to each of the new: [count, side]. */
    private static Tensor weights(int side, int count) {
        float[] weights = new float[count * side];
        float scale = (float) side / count;
        float support = Math.max(1, scale);
        for (int i = 0; i < count; i++) {
            float centre = (i + 0.5f) * scale - 0.5f;
            float sum = 0;
            for (int j = 0; j < side; j++) {
                weights[i * side + j] = Math.max(0, 1 - Math.abs(j - centre) / support);
                sum += weights[i * side + j];
            }
            for (int j = 0; j < side; j++) {
                weights[i * side + j] /= sum;
            }
        }
        return Tensors.of(weights, count, side);
    }
}
