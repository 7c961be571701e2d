package dev.diva.segment;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;

/**
 * Sizes of a side network and its decoder.
 *
 * @param width of a token
 * @param blocks layers
 * @param mlp width inside a block's MLP
 * @param patch side of a patch, pixels
 * @param grid side of the square that the position table is for, patches
 * @param queries masks that are proposed
 * @param decoderWidth of the vectors whose products are masks
 * @param decoderHidden width inside the decoder's MLPs
 */
public record SanShape(
        long width, int blocks, long mlp, long patch, long grid, long queries, long decoderWidth, long decoderHidden) {
    private static final String SIDE = SanFile.SIDE + ".";

    /** Reads them off the tensors. */
    static SanShape of(TensorSource source) {
        int blocks = 0;
        while (source.info(SIDE + "vit_model.blocks." + blocks + ".norm1.weight") != null) {
            blocks++;
        }
        TensorInfo patches = info(source, "vit_model.patch_embed.proj.weight", 4);
        TensorInfo positions = info(source, "vit_model.pos_embed", 3);
        TensorInfo queryMlp = info(source, "mask_decoder.query_mlp.layers.2.weight", 2);
        return new SanShape(
                patches.shape()[0],
                blocks,
                blocks == 0
                        ? 0
                        : info(source, "vit_model.blocks.0.mlp.fc1.weight", 2).shape()[0],
                patches.shape()[2],
                Math.round(Math.sqrt(positions.shape()[1])),
                info(source, "query_embed", 3).shape()[1],
                queryMlp.shape()[0],
                queryMlp.shape()[1]);
    }

    private static TensorInfo info(TensorSource source, String name, int dimensions) {
        TensorInfo info = source.info(SIDE + name);
        if (info == null || info.shape().length != dimensions || info.numel() == 0) {
            throw new CheckpointException(
                    source.location() + ": no SAN: " + SIDE + name + (info == null ? " is not there" : " is " + info));
        }
        return info;
    }
}
