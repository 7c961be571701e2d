package dev.diva.segment;

import dev.diva.model.KeyValues;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * All that SAN takes of a CLIP's pass over a batch of pictures.
 *
 * @param maps what is added behind a block of the side network, by its number: [batch, width, rows, columns], fp32
 * @param classToken what enters the layers of recognition, [batch, 1, width]
 * @param patches keys and values of the patches in each of those layers
 * @param rows of patches
 * @param columns of patches
 */
public record ClipView(
        Map<Integer, Tensor> maps, Tensor classToken, List<KeyValues> patches, long rows, long columns) {}
