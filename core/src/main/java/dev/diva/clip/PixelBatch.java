package dev.diva.clip;

import dev.diva.engine.Tensors;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** From images as {@link Preprocessing#pixels} gives them to what a tower takes at once. */
public final class PixelBatch {
    private PixelBatch() {}

    /**
     * Images of one size; of a tower that takes pictures at their own ratio one alone, because each has tokens of another number.
     *
     * @return fp32 [images, 3, imageSize, imageSize], or [1, 3, height, width]
     */
    public static Tensor of(VisionConfig vision, List<float[]> pixels) {
        if (vision.form().flexible()) {
            if (pixels.size() != 1) {
                throw new IllegalArgumentException(pixels.size() + " pictures, expected one, which keeps its ratio");
            }
            float[] image = pixels.get(0); // begins with its height and width
            return Tensors.of(Arrays.copyOfRange(image, 2, image.length), 1, 3, (long) image[0], (long) image[1]);
        }
        long side = vision.imageSize();
        long length = 3 * side * side;
        for (int i = 0; i < pixels.size(); i++) {
            if (pixels.get(i).length != length) {
                throw new IllegalArgumentException(
                        "image " + i + " has " + pixels.get(i).length + " values, expected " + length);
            }
        }
        return Tensors.ofRows(pixels.toArray(float[][]::new)).view(pixels.size(), 3, side, side);
    }
}
