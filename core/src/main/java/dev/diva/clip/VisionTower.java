package dev.diva.clip;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Tensors;
import dev.diva.model.Conv2d;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import dev.diva.model.TransformerEncoder;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Vision transformer of CLIP (class token) and SigLIP (attention pooling). The road of an image is {@link #encode}, then {@link
 * #embedding} for the zero-shot embedding or {@link #tokens} for all tokens.
 */
public final class VisionTower {
    private final VisionConfig config;
    private final Placement placement;
    private final Tensor classEmbedding; // [width], null without class token
    private final Conv2d patchEmbedding;
    private final Tensor positionEmbedding; // [numTokens, width]
    private final LayerNorm preLayerNorm; // null without class token
    private final TransformerEncoder encoder;
    private final LayerNorm postLayerNorm;
    private final Linear projection; // null with attention pooling, or where no embedding is wanted
    private final AttentionPooling attentionPooling; // null with class token

    /** @param weights the view of the whole checkpoint: reads {@code vision_model} and {@code visual_projection} */
    public VisionTower(Weights weights, VisionConfig config) {
        this(weights, config, true);
    }

    private VisionTower(Weights weights, VisionConfig config, boolean hasEmbedding) {
        this.config = config;
        this.placement = weights.placement();
        if (hasEmbedding && isWithoutProjection(weights, config)) {
            throw new CheckpointException(weights.location() + ": the image tower alone, without its projection"
                    + " visual_projection.weight, as CLIPVisionModel saves it: it has no embedding of images; take the whole"
                    + " CLIPModel, or save it as CLIPVisionModelWithProjection");
        }
        long width = config.transformer().hiddenSize();
        double eps = config.transformer().layerNormEps();
        boolean hasClassToken = config.pooling() == VisionConfig.Pooling.CLASS_TOKEN;
        Weights model = weights.at("vision_model");
        Weights embeddings = model.at("embeddings");
        Conv2d.Geometry patches = new Conv2d.Geometry(config.patchSize(), config.patchSize(), 0);
        this.classEmbedding = hasClassToken ? embeddings.matrix("class_embedding", width) : null;
        this.patchEmbedding = hasClassToken
                ? Conv2d.withoutBias(embeddings.at("patch_embedding"), 3, width, patches)
                : Conv2d.of(embeddings.at("patch_embedding"), 3, width, patches);
        this.positionEmbedding = embeddings.at("position_embedding").matrix("weight", config.numTokens(), width);
        this.preLayerNorm = hasClassToken ? new LayerNorm(model.at("pre_layrnorm"), width, eps) : null; // sic
        this.encoder = new TransformerEncoder(model.at("encoder"), config.transformer(), false);
        this.postLayerNorm = new LayerNorm(model.at("post_layernorm"), width, eps);
        this.projection = hasClassToken && hasEmbedding
                ? Linear.withoutBias(weights.at("visual_projection"), width, config.projectionDim())
                : null;
        this.attentionPooling = hasClassToken ? null : new AttentionPooling(model.at("head"), config.transformer());
    }

    private static boolean isWithoutProjection(Weights weights, VisionConfig config) {
        return config.pooling() == VisionConfig.Pooling.CLASS_TOKEN
                && weights.at("vision_model").at("post_layernorm").has("weight")
                && !weights.at("visual_projection").has("weight");
    }

    /** A tower without {@code visual_projection}, which gives hidden states and no embedding. */
    static VisionTower ofHiddenStates(Weights weights, VisionConfig config) {
        return new VisionTower(weights, config, false);
    }

    /** The shape that the weights were read with. */
    public VisionConfig config() {
        return config;
    }

    /**
     * Last layer's hidden states, before the final norm.
     *
     * @param pixels normalised, [batch, 3, imageSize, imageSize]
     * @return [batch, numTokens, width]; the class token first where there is one
     */
    public Tensor encode(Tensor pixels) {
        return encoder.forward(embed(pixels));
    }

    /** What enters the first layer and what each layer gives: numLayers + 1 tensors of [batch, numTokens, width]. */
    public List<Tensor> hiddenStates(Tensor pixels) {
        return encoder.hiddenStates(embed(pixels));
    }

    /** One of {@link #hiddenStates}: what the first {@code count} layers give; no other is computed. */
    public Tensor hiddenState(Tensor pixels, int count) {
        return encoder.through(embed(pixels), count);
    }

    /**
     * The untouched zero-shot embedding, not normalised.
     *
     * @param hidden of {@link #encode}
     * @return [batch, projectionDim]
     */
    public Tensor embedding(Tensor hidden) {
        return attentionPooling == null
                ? projection.forward(postLayerNorm.forward(hidden.select(1, 0)))
                : attentionPooling.forward(postLayerNorm.forward(hidden));
    }

    /**
     * {@link #embedding} of {@link #encode}; where the class token is all that it takes, the last layer computes no other.
     *
     * @param pixels normalised, [batch, 3, imageSize, imageSize]
     * @return [batch, projectionDim]
     */
    public Tensor embeddingOf(Tensor pixels) {
        return embedding(pooledStates(pixels));
    }

    /** As many of the states of {@link #encode} as {@link #embedding} needs: the class token's, or all with attention pooling. */
    public Tensor pooledStates(Tensor pixels) {
        return attentionPooling == null ? encoder.firstToken(embed(pixels)) : encode(pixels);
    }

    /**
     * All tokens, normed and projected (SigLIP has no projection: its tokens are normed alone).
     *
     * @param hidden of {@link #encode}
     */
    public VisionTokens tokens(Tensor hidden) {
        Tensor normed = normed(hidden);
        if (attentionPooling != null) {
            return new VisionTokens(attentionPooling.forward(normed), normed);
        }
        Tensor projected = projection.forward(normed); // [batch, 1 + patches, projectionDim]
        return new VisionTokens(projected.select(1, 0), projected.narrow(1, 1, config.numPatches()));
    }

    /** Applies the final norm to any layer's hidden states. */
    public Tensor normed(Tensor hidden) {
        return postLayerNorm.forward(hidden);
    }

    /** The layers, for whoever looks between them. */
    public TransformerEncoder layers() {
        return encoder;
    }

    /** The table of positions that the weights hold, [numTokens, width]. */
    public Tensor positionTable() {
        return positionEmbedding;
    }

    /** Final norm and projection of tokens that stand for a class token, [batch, tokens, width] to [batch, tokens, projectionDim]. */
    public Tensor projected(Tensor hidden) {
        return projection.forward(postLayerNorm.forward(hidden));
    }

    /**
     * What enters the first layer, for pictures of any size: what is beyond the last whole patch is dropped, the table is resized
     * bicubically to the grid of patches where that is another one (align_corners=False, a = -0.75).
     *
     * @param pixels normalised, [batch, 3, height, width], at least one patch
     * @param table positions for the tower's own grid, in place of {@link #positionTable}
     * @return [batch, tokens, width]
     */
    public Tensor embedAnySize(Tensor pixels, Tensor table) {
        long height = pixels.size(2) / config.patchSize();
        long width = pixels.size(3) / config.patchSize();
        return embedded(pixels, PositionTable.resized(table, config.numTokens() - config.numPatches(), height, width));
    }

    /**
     * MaskCLIP's local features: what the last attention would give each patch if it saw itself alone, instead of the last layer's output.
     * Of a tower with attention pooling that is the pooling's own attention, behind all layers.
     *
     * @param embedded of {@link #embedAnySize}
     * @return [batch, patches, projectionDim], not normalised
     */
    public Tensor valuePath(Tensor embedded) {
        if (attentionPooling != null) {
            return attentionPooling.valuePath(postLayerNorm.forward(encoder.forward(embedded)));
        }
        Tensor values = encoder.valuePath(embedded);
        return projected(values.narrow(1, 1, values.size(1) - 1));
    }

    private Tensor embed(Tensor pixels) {
        requireImages(pixels);
        return embedded(pixels, positionEmbedding);
    }

    private Tensor embedded(Tensor pixels, Tensor table) {
        Tensor x =
                Tensors.onto(pixels, placement.device(), placement.precision().dtype());
        Tensor patches = patchEmbedding.forward(x).flatten(2, -1).transpose(1, 2); // [batch, patches, width]
        Tensor positions = table.to(patches.scalar_type());
        if (classEmbedding == null) {
            return patches.add(positions);
        }
        Tensor classToken = classEmbedding.to(patches.scalar_type()).expand(patches.size(0), 1, patches.size(2));
        Tensor tokens = torch.cat(new TensorVector(classToken, patches), 1);
        return preLayerNorm.forward(tokens.add(positions));
    }

    private void requireImages(Tensor pixels) {
        long size = config.imageSize();
        if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) != size || pixels.size(3) != size) {
            throw new IllegalArgumentException(
                    "pixels " + Arrays.toString(pixels.shape()) + ", expected [batch, 3, " + size + ", " + size + "]");
        }
    }
}
