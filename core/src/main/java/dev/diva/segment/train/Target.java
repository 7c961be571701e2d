package dev.diva.segment.train;

import dev.diva.engine.Tensors;
import dev.diva.segment.SanPixels;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What a picture is to be taken apart into: a mask for each class that is in it. Ignored pixels belong to none, and so count against each.
 *
 * @param classes rising
 * @param masks 0 or 1, [classes, height, width], fp32
 */
record Target(long[] classes, Tensor masks) {
    /**
     * Of a label map, padded as its picture is: there is no class in the padding.
     *
     * @param labels in row-major order
     * @param ignored label of pixels without a class
     */
    static Target of(int[] labels, int width, int ignored) {
        long[] values = Arrays.stream(labels).asLongStream().toArray();
        long[] classes = Arrays.stream(values)
                .filter(c -> c != ignored)
                .distinct()
                .sorted()
                .toArray();
        long height = labels.length / width;
        long[] shape = {classes.length, SanPixels.padded(height), SanPixels.padded(width)};
        Tensor masks = torch.zeros(shape, new TensorOptions(ScalarType.Float));
        if (classes.length > 0) {
            Tensor map = Tensors.of(values, height, width);
            for (int i = 0; i < classes.length; i++) {
                masks.select(0, i).narrow(0, 0, height).narrow(1, 0, width).copy_(map.eq(new Scalar(classes[i])));
            }
        }
        return new Target(classes, masks);
    }

    /** How many masks. */
    int count() {
        return classes.length;
    }
}
