package dev.diva.train;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Images of one forward pass; the tensors belong to the scope that asked for them.
 *
 * @param names where each image came from
 * @param pixels what the trained model sees: of a tower fp32 [images, 3, imageSize, imageSize]
 * @param latents what the teacher sees, fp32 [images, channels, height, width]; null where there is no teacher
 */
public record MicroBatch(List<String> names, Tensor pixels, Tensor latents) {
    public MicroBatch {
        names = List.copyOf(names);
    }

    /** Images of a training without a teacher. */
    public static MicroBatch of(List<String> names, Tensor pixels) {
        return new MicroBatch(names, pixels, null);
    }
}
