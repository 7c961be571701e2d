package dev.diva.segment.train;

import dev.diva.engine.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
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
     * Of a label map.
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
        if (classes.length == 0) {
            return new Target(classes, torch.zeros(new long[] {0, height, width}, new TensorOptions(ScalarType.Float)));
        }
        Tensor map = Tensors.of(values, height, width);
        TensorVector masks = new TensorVector();
        for (long c : classes) {
            masks.push_back(map.eq(new Scalar(c)).to(ScalarType.Float));
        }
        return new Target(classes, torch.stack(masks));
    }

    /** How many masks. */
    int count() {
        return classes.length;
    }
}
