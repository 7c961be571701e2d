package dev.diva.clip;

import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * The tokens of one layer of a CLIP's image tower, before the final norm, as multimodal models read them. Frozen; layers behind are not
 * computed. Not thread safe.
 */
public final class HiddenTokens implements AutoCloseable {
    /** What of a CLIP is no part of the image tower. */
    private static final Pattern NOT_OURS = Pattern.compile(
            "(text_model|text_projection|visual_projection)\\..*|logit_scale|logit_bias|.*\\.position_ids");

    private final Weights weights;
    private final VisionTower tower;
    private final TowerSource source;
    private final int layers;
    private final boolean withClassToken;
    private boolean isChecked; // so that a GPU is waited for once

    private HiddenTokens(TowerSource source, int layers, boolean withClassToken, Placement placement) {
        this.source = source;
        this.layers = layers;
        this.withClassToken = withClassToken;
        this.weights = Weights.frozen(source.tensors(), placement);
        weights.ignore(NOT_OURS);
        this.tower = VisionTower.ofHiddenStates(weights, source.config());
        weights.finish();
    }

    /**
     * Reads a tower.
     *
     * @param source closed with what is returned
     * @param layers that the tokens go through, at most those of the tower
     * @param withClassToken whether the class token is among them, in front
     */
    public static HiddenTokens read(TowerSource source, int layers, boolean withClassToken, Placement placement) {
        try (PointerScope scope = new PointerScope()) {
            return new HiddenTokens(source, layers, withClassToken, placement);
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /** The tower itself. */
    public VisionTower tower() {
        return tower;
    }

    /** How images become pixels. */
    public Preprocessing preprocessing() {
        return source.preprocessing();
    }

    /**
     * [images, 3, imageSize, imageSize] to [images, tokens, width].
     *
     * @throws dev.diva.BadInputException when the tower's weights are broken
     */
    public Tensor forward(Tensor pixels) {
        Tensor hidden = tower.hiddenState(pixels, layers);
        if (hidden.is_cpu() || !isChecked) {
            BrokenWeights.requireFinite(hidden, weights);
            isChecked = true;
        }
        return withClassToken ? hidden : hidden.narrow(1, 1, hidden.size(1) - 1);
    }

    @Override
    public void close() {
        weights.close();
        source.close();
    }
}
