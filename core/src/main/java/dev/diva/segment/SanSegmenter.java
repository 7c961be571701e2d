package dev.diva.segment;

import dev.diva.data.RasterImage;
import dev.diva.engine.Tensors;
import dev.diva.eval.segmentation.Segmenter;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * SAN as it is scored: short edge 640 (long edge at most 4 times that); every mask votes for its classes, background left out, with its
 * probability at each pixel, which is taken at the original size.
 *
 * @param classes unit vectors [classes, embedding]
 * @param shortEdge pixels
 */
public record SanSegmenter(San san, float[][] classes, int shortEdge) implements Segmenter {
    private static final int LONGEST = 4; // long edge, in short edges

    /** At the size that it was made for. */
    public SanSegmenter(San san, float[][] classes) {
        this(san, classes, san.settings().shortEdge());
    }

    @Override
    public int[] labels(RasterImage image) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            int[] size = SanPixels.size(image.width(), image.height(), shortEdge, LONGEST * shortEdge);
            RasterImage resized = SanPixels.resized(image, size[0], size[1]);
            Tensor pixels = SanPixels.batch(List.of(resized), san.clip().preprocessing());
            Tensor vectors = TextClasses.withBackground(Tensors.ofRows(classes), san.background());
            San.Output output = san.forward(pixels, vectors);
            san.requireFinite(output.masks());
            san.requireFinite(output.classes());
            Tensor votes = votes(output.classes().select(0, 0));
            return bands(output.masks().select(0, 0), pixels, resized, image)
                    .labels(classes.length, masks -> votes.matmul(masks.sigmoid()));
        }
    }

    /** Logits [queries, classes + 1] to [classes, queries]. */
    static Tensor votes(Tensor logits) {
        return torch.softmax(logits, -1).narrow(1, 0, logits.size(1) - 1).t();
    }

    /** From the grid to the padded size, without the padding, to the original size. */
    static LabelBands bands(Tensor masks, Tensor padded, RasterImage resized, RasterImage original) {
        return new LabelBands(
                masks,
                axis(masks.size(1), padded.size(2), resized.height(), original.height()),
                axis(masks.size(2), padded.size(3), resized.width(), original.width()));
    }

    private static BilinearRows axis(long grid, long padded, int resized, int original) {
        return BilinearRows.of(Math.toIntExact(grid), Math.toIntExact(padded))
                .cut(resized)
                .then(BilinearRows.of(resized, original));
    }
}
