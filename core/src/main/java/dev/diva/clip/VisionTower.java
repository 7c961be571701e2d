package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Tensors;
import dev.diva.model.Conv2d;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import dev.diva.model.RotaryGrid;
import dev.diva.model.RotaryPositions;
import dev.diva.model.TransformerEncoder;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Vision transformer of CLIP (class token), SigLIP (attention pooling) and their relatives. The road of an image is {@link #encode}, then
 * {@link #embedding} for the zero-shot embedding or {@link #tokens} for all tokens.
 */
public final class VisionTower {
    private final VisionConfig config;
    private final Placement placement;
    private final Tensor classEmbedding; // [width] or null
    private final UnaryOperator<Tensor> patchEmbedding; // [batch, 3, height, width] to [batch, width, rows, columns]
    private final Tensor positionEmbedding; // [numPositions, width]
    private final LayerNorm preLayerNorm; // or null
    private final TransformerEncoder encoder;
    private final LayerNorm postLayerNorm;
    private final Linear projection; // null without one, or where no embedding is wanted
    private final AttentionPooling attentionPooling; // or null
    private final QueryPooling queryPooling; // or null

    /** @param weights the view of the whole checkpoint: reads {@code vision_model} and {@code visual_projection} */
    public VisionTower(Weights weights, VisionConfig config) {
        this(weights, config, true);
    }

    private VisionTower(Weights weights, VisionConfig config, boolean hasEmbedding) {
        this.config = config;
        this.placement = weights.placement();
        if (hasEmbedding && isWithoutProjection(weights, config)) {
            throw new CheckpointException(weights.location() + ": the image tower alone, without its projection"
                    + " visual_projection.weight, as CLIPVisionModel saves"
                    + " it: it has no embedding of images; take the whole"
                    + " CLIPModel, or save it as"
                    + " CLIPVisionModelWithProjection");
        }
        VisionForm form = config.form();
        long width = config.transformer().hiddenSize();
        double eps = config.transformer().layerNormEps();
        Weights model = weights.at("vision_model");
        Weights embeddings = model.at("embeddings");
        this.classEmbedding = form.classToken() ? embeddings.matrix("class_embedding", width) : null;
        this.patchEmbedding = patchEmbedding(embeddings.at("patch_embedding"));
        this.positionEmbedding = embeddings.at("position_embedding").matrix("weight", config.numPositions(), width);
        this.preLayerNorm = form.preNorm() ? new LayerNorm(model.at("pre_layrnorm"), width, eps) : null; // sic
        this.encoder =
                new TransformerEncoder(model.at("encoder").inInt8(), config.transformer(), false, rotary(weights));
        boolean pools = config.pooling() == VisionConfig.Pooling.QUERIES;
        long pooledWidth = pools ? config.projectionDim() : width;
        this.postLayerNorm = new LayerNorm(model.at("post_layernorm"), pooledWidth, eps);
        this.projection = hasEmbedding ? projection(weights, pooledWidth) : null;
        this.queryPooling = pools ? new QueryPooling(model.at("head"), form.pool(), width, pooledWidth) : null;
        this.attentionPooling = config.pooling() == VisionConfig.Pooling.MAP
                ? new AttentionPooling(model.at("head"), config.transformer(), form.pool())
                : null;
    }

    private UnaryOperator<Tensor> patchEmbedding(Weights stored) {
        if (config.form().stem() != null) {
            return new ConvStem(stored, config.form().stem())::forward;
        }
        return patchKernels(stored)::forward;
    }

    private Conv2d patchKernels(Weights stored) {
        long width = config.transformer().hiddenSize();
        Conv2d.Geometry patches = new Conv2d.Geometry(config.patchSize(), config.patchSize(), 0);
        if (config.form().flexible()) {
            return Conv2d.ofFlatPatches(stored, width, config.patchSize());
        }
        return config.form().patchBias()
                ? Conv2d.of(stored, 3, width, patches)
                : Conv2d.withoutBias(stored, 3, width, patches);
    }

    private RotaryPositions rotary(Weights weights) {
        return config.form().rotary() == null
                ? null
                : RotaryPositions.of(
                        config.form().rotary(),
                        config.leadingTokens(),
                        Math.toIntExact(config.transformer().headWidth()),
                        weights);
    }

    private Linear projection(Weights weights, long width) {
        Weights stored = weights.at("visual_projection");
        return switch (config.form().projection()) {
            case NONE -> null;
            case PLAIN -> Linear.withoutBias(stored, width, config.projectionDim());
            case BIASED -> Linear.of(stored, width, config.projectionDim());
        };
    }

    private static boolean isWithoutProjection(Weights weights, VisionConfig config) {
        return config.form().projection() != VisionForm.Projection.NONE
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
     * @param pixels normalised, [batch, 3, imageSize, imageSize]; a flexible tower takes whole patches of any ratio
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
        return switch (config.pooling()) {
            case CLASS_TOKEN -> projected(hidden.select(1, 0));
            case MAP -> projectedAlone(attentionPooling.forward(postLayerNorm.forward(hidden)));
            case AVERAGE -> projected(patches(hidden).mean(1));
            case QUERIES -> projected(queryPooling.first(hidden)).select(1, 0);
        };
    }

    private Tensor patches(Tensor tokens) {
        long leading = config.leadingTokens();
        return leading == 0 ? tokens : tokens.narrow(1, leading, tokens.size(1) - leading);
    }

    private Tensor projectedAlone(Tensor normed) {
        return projection == null ? normed : projection.forward(normed);
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

    /** As many of the states of {@link #encode} as {@link #embedding} needs: the class token's where it pools, or all. */
    public Tensor pooledStates(Tensor pixels) {
        return config.pooling() == VisionConfig.Pooling.CLASS_TOKEN
                ? encoder.firstToken(embed(pixels))
                : encode(pixels);
    }

    /**
     * All tokens, normed and projected (SigLIP has no projection: its tokens are normed alone). The pooled one is the embedding; beside that of
     * CoCa are its other queries.
     *
     * @param hidden of {@link #encode}
     */
    public VisionTokens tokens(Tensor hidden) {
        if (queryPooling != null) {
            Tensor queries = projected(queryPooling.forward(hidden)); // [batch, queries, projectionDim]
            return new VisionTokens(queries.select(1, 0), queries.narrow(1, 1, queries.size(1) - 1));
        }
        Tensor normed = normed(hidden);
        Tensor projected = projectedAlone(normed); // [batch, leading + patches, projectionDim]
        Tensor pooled = switch (config.pooling()) {
            case CLASS_TOKEN -> projected.select(1, 0);
            case MAP -> projectedAlone(attentionPooling.forward(normed));
            case AVERAGE, QUERIES -> embedding(hidden); // the latter is above
        };
        return new VisionTokens(pooled, patches(projected));
    }

    /** Applies the final norm to any layer's hidden states. */
    public Tensor normed(Tensor hidden) {
        return postLayerNorm.forward(hidden);
    }

    /** The layers, for whoever looks between them. */
    public TransformerEncoder layers() {
        return encoder;
    }

    /** The table of positions that the weights hold, [numPositions, width]. */
    public Tensor positionTable() {
        return positionEmbedding;
    }

    /** Final norm and projection of tokens that stand for a class token, [..., width] to [..., projectionDim]. */
    public Tensor projected(Tensor hidden) {
        return projection.forward(postLayerNorm.forward(hidden));
    }

    /**
     * What enters the first layer, for pictures of any size: what is beyond the last whole patch is dropped, the table is resized
     * bicubically to the grid of patches where that is another one (align_corners=False, a = -0.75), that of a flexible tower bilinearly with
     * antialiasing.
     *
     * @param pixels normalised, [batch, 3, height, width], at least one patch
     * @param table positions for the tower's own grid, in place of {@link #positionTable}
     * @return [batch, tokens, width]
     */
    public Tensor embedAnySize(Tensor pixels, Tensor table) {
        long height = pixels.size(2) / config.patchSize();
        long width = pixels.size(3) / config.patchSize();
        RotaryGrid rotary = config.form().rotary();
        if (rotary != null && (height != rotary.side() || width != rotary.side())) {
            throw new BadInputException(
                    "a tower with rotary positions (EVA-02, PE) takes pictures of its own size alone, "
                            + config.imageSize() + " pixels; here it would have to see " + height + " x " + width
                            + " patches: take a tower of CLIP or SigLIP");
        }
        if (config.form().flexible()) {
            return embedded(pixels, PositionTable.antialiased(table, height, width));
        }
        int leading = Math.toIntExact(config.numPositions() - config.numPatches());
        return embedded(pixels, PositionTable.resized(table, leading, height, width));
    }

    /**
     * MaskCLIP's local features: what the last attention would give each patch if it saw itself alone, instead of the last layer's output.
     * Of a tower with attention pooling or learned queries that is the pooling's own attention, behind all layers.
     *
     * @param embedded of {@link #embedAnySize}
     * @return [batch, patches, projectionDim], not normalised
     */
    public Tensor valuePath(Tensor embedded) {
        if (attentionPooling != null) {
            return projectedAlone(
                    patches(attentionPooling.valuePath(postLayerNorm.forward(encoder.forward(embedded)))));
        }
        if (queryPooling != null) {
            return projected(queryPooling.valuePath(patches(encoder.forward(embedded))));
        }
        return projected(patches(encoder.valuePath(embedded)));
    }

    private Tensor embed(Tensor pixels) {
        if (config.form().flexible()) {
            return embedAnySize(pixels, positionEmbedding);
        }
        requireImages(pixels);
        return embedded(pixels, positionEmbedding);
    }

    private Tensor embedded(Tensor pixels, Tensor table) {
        Tensor x =
                Tensors.onto(pixels, placement.device(), placement.precision().dtype());
        Tensor patches = patchEmbedding.apply(x).flatten(2, -1).transpose(1, 2); // [batch, patches, width]
        Tensor positions = table.to(patches.scalar_type());
        Tensor placed = config.form().stem() == null
                ? withClassToken(patches).add(positions)
                : withClassToken(patches.add(positions));
        return preLayerNorm == null ? placed : preLayerNorm.forward(placed);
    }

    private Tensor withClassToken(Tensor patches) {
        return classEmbedding == null ? patches : torch.cat(new TensorVector(classToken(patches), patches), 1);
    }

    private Tensor classToken(Tensor patches) {
        return classEmbedding.to(patches.scalar_type()).expand(patches.size(0), 1, patches.size(2));
    }

    private void requireImages(Tensor pixels) {
        long size = config.imageSize();
        if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) != size || pixels.size(3) != size) {
            throw new IllegalArgumentException(
                    "pixels " + Arrays.toString(pixels.shape()) + ", expected [batch, 3, " + size + ", " + size + "]");
        }
    }
}
