package dev.diva.segment;

import dev.diva.engine.Tensors;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The best class of every pixel at the original size, in bands of rows: memory for one band of all classes, whatever the picture.
 *
 * @param maps on a coarse grid, [channels, rows, columns]
 * @param vertical from the coarse grid to the rows of the picture
 * @param horizontal to its columns
 */
record LabelBands(Tensor maps, BilinearRows vertical, BilinearRows horizontal) {
    /** Values of a band: 8 MiB of fp32. */
    private static final long BAND = 1L << 21;

    /**
     * Labels in row-major order; of equals the first.
     *
     * @param classes how many
     * @param scores of a band: [channels, pixels] to [classes, pixels]
     */
    int[] labels(long classes, UnaryOperator<Tensor> scores) {
        int[] labels = new int[Math.multiplyExact(vertical.size(), horizontal.size())];
        int rows = (int) Math.max(1, BAND / (Math.max(classes, maps.size(0)) * horizontal.size()));
        try (PointerScope scope = new PointerScope()) {
            Tensor columns = there(horizontal.tensor(0, horizontal.size())).t();
            for (int from = 0; from < vertical.size(); from += rows) {
                int to = Math.min(vertical.size(), from + rows);
                try (PointerScope band = new PointerScope()) {
                    // Twice as fast as argmax, which compares one number at a time.
                    Tensor best = torch.max(scores.apply(band(from, to, columns)), 0, false)
                            .get1();
                    long[] values = Tensors.toLongs(best);
                    for (int i = 0; i < values.length; i++) {
                        labels[from * horizontal.size() + i] = (int) values[i];
                    }
                }
            }
        }
        return labels;
    }

    private Tensor there(Tensor weights) {
        return Tensors.onto(weights, maps.device(), maps.scalar_type());
    }

    /** The maps at some rows of the picture, [channels, rows * columns]. */
    Tensor band(int from, int to, Tensor columns) {
        return there(vertical.tensor(from, to)).matmul(maps).matmul(columns).flatten(1, 2);
    }
}
