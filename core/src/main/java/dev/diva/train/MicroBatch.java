package dev.diva.train;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Images of one forward pass.
 *
 * @param names where each image came from
 * @param crops uint8 [images, 3, resolution, resolution], owned by the scope that asked for it
 */
public record MicroBatch(List<String> names, Tensor crops) {
    public MicroBatch {
        names = List.copyOf(names);
    }
}
