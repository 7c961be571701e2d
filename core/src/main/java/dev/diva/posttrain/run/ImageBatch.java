package dev.diva.posttrain.run;

import dev.diva.train.MicroBatch;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Images as the two models see them.
 *
 * @param names where each image came from
 * @param pixels what the tower sees, fp32, see {@link dev.diva.clip.PixelBatch}
 * @param latents what the teacher sees, fp32 [images, channels, height, width]
 * @param secondView the images changed, as pixels; null where the method has none
 */
record ImageBatch(List<String> names, Tensor pixels, Tensor latents, Tensor secondView) implements MicroBatch {
    ImageBatch {
        names = List.copyOf(names);
    }
}
