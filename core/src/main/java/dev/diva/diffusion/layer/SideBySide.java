package dev.diva.diffusion.layer;

import dev.diva.engine.Tensors;
import dev.diva.model.Linear;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Several linear layers of one input, stored apart, or as one whose output is split. */
public final class SideBySide {
    private final List<Linear> layers;
    private final long[] widths; // of the outputs of the only layer; null where they are stored apart

    private SideBySide(List<Linear> layers, long... widths) {
        this.layers = layers;
        this.widths = widths;
    }

    /** Layers of their own. */
    public static SideBySide apart(Linear... layers) {
        return new SideBySide(List.of(layers), (long[]) null);
    }

    /** One layer, whose output holds outputs of these widths one after the other. */
    public static SideBySide joined(Linear whole, long... widths) {
        return new SideBySide(List.of(whole), widths.clone());
    }

    /**
     * Applies all to the last axis.
     *
     * @param x [batch, tokens, in]
     * @return the outputs, each [batch, tokens, width]
     */
    public List<Tensor> forward(Tensor x) {
        if (widths == null) {
            return layers.stream().map(layer -> layer.forward(x)).toList();
        }
        return Tensors.split(layers.get(0).forward(x), 2, widths);
    }
}
