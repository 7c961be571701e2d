package dev.diva.segment;

import dev.diva.BadInputException;
import dev.diva.clip.Preprocessing;
import dev.diva.data.Filter;
import dev.diva.data.Normalize;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import dev.diva.engine.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** How a picture is scored: its short edge resized, then padded to the right and below with zeros behind the normalisation. */
public final class SanPixels {
    private static final int MULTIPLE = 32;

    private SanPixels() {}

    /**
     * Width and height with another short edge (detectron2's ResizeShortestEdge).
     *
     * @param shortEdge pixels
     * @param limit of the long edge; where it would pass it, both become smaller
     * @throws BadInputException when less than a pixel is left of an edge
     */
    public static int[] size(int oldWidth, int oldHeight, int shortEdge, int limit) {
        double scale = (double) shortEdge / Math.min(oldWidth, oldHeight);
        double height = oldHeight < oldWidth ? shortEdge : scale * oldHeight;
        double width = oldHeight < oldWidth ? scale * oldWidth : shortEdge;
        if (Math.max(height, width) > limit) {
            double smaller = limit / Math.max(height, width);
            height *= smaller;
            width *= smaller;
        }
        int rows = (int) (height + 0.5);
        int columns = (int) (width + 0.5);
        if (rows < 1 || columns < 1) {
            throw new BadInputException("a picture of " + oldWidth + "x" + oldHeight
                    + " is too thin: resized to a long edge of " + limit + " nothing is left of the short one");
        }
        return new int[] {columns, rows};
    }

    /** Resizes a picture of any mode by PIL's bilinear filter, to RGB. */
    public static RasterImage resized(RasterImage image, int width, int height) {
        return Resampler.resize(image.toRgb(), width, height, Filter.BILINEAR);
    }

    /** Pictures of any sizes as one batch, [batch, 3, height, width]; sizes are multiples of 32 that hold the largest. */
    public static Tensor batch(List<RasterImage> images, Preprocessing preprocessing) {
        long height = padded(images.stream().mapToInt(RasterImage::height).max().orElseThrow());
        long width = padded(images.stream().mapToInt(RasterImage::width).max().orElseThrow());
        Tensor batch = torch.zeros(new long[] {images.size(), 3, height, width}, new TensorOptions(ScalarType.Float));
        for (int i = 0; i < images.size(); i++) {
            RasterImage image = images.get(i);
            Tensor pixels = Tensors.of(
                    Normalize.toChw(image, preprocessing.mean(), preprocessing.std()),
                    3,
                    image.height(),
                    image.width());
            batch.select(0, i)
                    .narrow(1, 0, image.height())
                    .narrow(2, 0, image.width())
                    .copy_(pixels);
        }
        return batch;
    }

    /** A side with its padding, pixels. */
    public static long padded(long size) {
        return (size + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    }
}
