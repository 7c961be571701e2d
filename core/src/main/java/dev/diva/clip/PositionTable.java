package dev.diva.clip;

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
}
