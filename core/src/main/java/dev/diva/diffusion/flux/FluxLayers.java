package dev.diva.diffusion.flux;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.EmbeddingMlp;
import dev.diva.diffusion.layer.GatedStream;
import dev.diva.diffusion.layer.JointBlock;
import dev.diva.diffusion.layer.ModulatedNorm;
import dev.diva.diffusion.layer.QueryKeyNorm;
import dev.diva.diffusion.layer.SideBySide;
import dev.diva.diffusion.layer.StreamAttention;
import dev.diva.model.Linear;
import java.util.ArrayList;
import java.util.List;

/**
 * The layers of a denoiser, read under FLUX.1's own names.
 *
 * @param guidanceIn null without guidance
 */
record FluxLayers(
        Linear imageIn,
        Linear textIn,
        EmbeddingMlp timeIn,
        EmbeddingMlp guidanceIn,
        EmbeddingMlp vectorIn,
        List<FluxBlock> blocks,
        ModulatedNorm normOut,
        Linear linearOut) {
    /** Numbers of the sinusoidal embedding of levels and guidance. */
    static final int FREQUENCIES = 256;

    static FluxLayers of(Weights weights, FluxConfig config) {
        long width = config.hiddenSize();
        List<FluxBlock> blocks = new ArrayList<>();
        Linear imageIn = Linear.of(weights.at("img_in"), config.inChannels(), width);
        Linear textIn = Linear.of(weights.at("txt_in"), config.contextDim(), width);
        EmbeddingMlp timeIn = mlp(weights.at("time_in"), FREQUENCIES, width);
        EmbeddingMlp guidanceIn = config.guided() ? mlp(weights.at("guidance_in"), FREQUENCIES, width) : null;
        EmbeddingMlp vectorIn = mlp(weights.at("vector_in"), config.vectorDim(), width);
        for (int i = 0; i < config.depth(); i++) {
            Weights block = weights.at("double_blocks", i);
            blocks.add(new JointBlock(stream(block, "txt", config), stream(block, "img", config))::forward);
        }
        for (int i = 0; i < config.depthSingle(); i++) {
            blocks.add(single(weights.at("single_blocks", i), config));
        }
        Weights last = weights.at("final_layer");
        return new FluxLayers(
                imageIn,
                textIn,
                timeIn,
                guidanceIn,
                vectorIn,
                blocks,
                ModulatedNorm.shiftFirst(last.at("adaLN_modulation", 1), width),
                Linear.of(last.at("linear"), width, config.inChannels()));
    }

    private static EmbeddingMlp mlp(Weights weights, long in, long width) {
        return EmbeddingMlp.of(weights.at("in_layer"), weights.at("out_layer"), in, width);
    }

    private static GatedStream stream(Weights block, String name, FluxConfig config) {
        long width = config.hiddenSize();
        Weights attention = block.at(name + "_attn");
        Linear modulation = Linear.of(block.at(name + "_mod").at("lin"), width, GatedStream.PARTS * width);
        Linear qkv = config.qkvBias()
                ? Linear.of(attention.at("qkv"), width, 3 * width)
                : Linear.withoutBias(attention.at("qkv"), width, 3 * width);
        QueryKeyNorm norm = norm(attention.at("norm"), config);
        return GatedStream.of(
                width,
                modulation,
                new StreamAttention(
                        SideBySide.joined(qkv, width, width, width),
                        norm,
                        config.numHeads(),
                        Linear.of(attention.at("proj"), width, width)),
                Linear.of(block.at(name + "_mlp", 0), width, config.mlpWidth()),
                Linear.of(block.at(name + "_mlp", 2), config.mlpWidth(), width));
    }

    private static SingleBlock single(Weights block, FluxConfig config) {
        long width = config.hiddenSize();
        long inner = config.mlpWidth();
        Linear modulation = Linear.of(block.at("modulation").at("lin"), width, 3 * width);
        Linear in = Linear.of(block.at("linear1"), width, 3 * width + inner);
        return new SingleBlock(
                config,
                modulation,
                SideBySide.joined(in, width, width, width, inner),
                norm(block.at("norm"), config),
                Linear.of(block.at("linear2"), width + inner, width));
    }

    private static QueryKeyNorm norm(Weights weights, FluxConfig config) {
        return new QueryKeyNorm(
                weights.at("query_norm").vector("scale", config.headDim()),
                weights.at("key_norm").vector("scale", config.headDim()));
    }
}
