package dev.diva.diffusion.flux;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.EmbeddingMlp;
import dev.diva.diffusion.layer.JointBlock;
import dev.diva.diffusion.layer.ModulatedNorm;
import dev.diva.diffusion.layer.QueryKeyNorm;
import dev.diva.diffusion.layer.SideBySide;
import dev.diva.model.Linear;
import java.util.ArrayList;
import java.util.List;

/** Reads the layers of FLUX.1 under the names of diffusers, where queries, keys and values are layers of their own. */
final class DiffusersLayers {
    private DiffusersLayers() {}

    static FluxLayers of(Weights weights, FluxConfig config) {
        long width = config.hiddenSize();
        Weights told = weights.at("time_text_embed");
        List<FluxBlock> blocks = new ArrayList<>();
        JointBlock.Shape shape = JointBlock.Shape.ofFlux(width, config.numHeads());
        for (int i = 0; i < config.depth(); i++) {
            blocks.add(JointBlock.of(weights.at("transformer_blocks", i), shape)::forward);
        }
        for (int i = 0; i < config.depthSingle(); i++) {
            blocks.add(single(weights.at("single_transformer_blocks", i), config));
        }
        return new FluxLayers(
                Linear.of(weights.at("x_embedder"), config.inChannels(), width),
                Linear.of(weights.at("context_embedder"), config.contextDim(), width),
                new EmbeddingMlp(told.at("timestep_embedder"), FluxLayers.FREQUENCIES, width),
                config.guided() ? new EmbeddingMlp(told.at("guidance_embedder"), FluxLayers.FREQUENCIES, width) : null,
                new EmbeddingMlp(told.at("text_embedder"), config.vectorDim(), width),
                blocks,
                ModulatedNorm.scaleFirst(weights.at("norm_out").at("linear"), width),
                Linear.of(weights.at("proj_out"), width, config.inChannels()));
    }

    private static SingleBlock single(Weights block, FluxConfig config) {
        long width = config.hiddenSize();
        Weights attention = block.at("attn");
        return new SingleBlock(
                config,
                Linear.of(block.at("norm").at("linear"), width, 3 * width),
                SideBySide.apart(
                        Linear.of(attention.at("to_q"), width, width),
                        Linear.of(attention.at("to_k"), width, width),
                        Linear.of(attention.at("to_v"), width, width),
                        Linear.of(block.at("proj_mlp"), width, config.mlpWidth())),
                QueryKeyNorm.of(attention.at("norm_q"), attention.at("norm_k"), config.headDim()),
                Linear.of(block.at("proj_out"), width + config.mlpWidth(), width));
    }
}
