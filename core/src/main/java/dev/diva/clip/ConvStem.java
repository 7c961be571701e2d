package dev.diva.clip;

import dev.diva.checkpoint.Weights;
import dev.diva.model.Activation;
import dev.diva.model.BatchNorm2d;
import dev.diva.model.Conv2d;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The patches of MobileCLIP-B: convolutions whose kernels do not overlap, each but the last with a batch norm and a GELU behind. */
final class ConvStem {
    private final List<Conv2d> convolutions = new ArrayList<>();
    private final List<BatchNorm2d> norms = new ArrayList<>(); // of all but the last

    /** @param weights the view under {@code patch_embedding}: {@code 0.conv}, {@code 0.bn}, ... */
    ConvStem(Weights weights, List<VisionForm.Stem> shape) {
        long in = 3;
        for (int i = 0; i < shape.size(); i++) {
            VisionForm.Stem layer = shape.get(i);
            Conv2d.Geometry geometry = new Conv2d.Geometry(layer.kernel(), layer.kernel(), 0);
            Weights own = weights.at(Integer.toString(i));
            if (i + 1 < shape.size()) {
                convolutions.add(Conv2d.withoutBias(own.at("conv"), in, layer.channels(), geometry));
                norms.add(new BatchNorm2d(own.at("bn"), layer.channels()));
            } else {
                convolutions.add(Conv2d.of(own.at("conv"), in, layer.channels(), geometry));
            }
            in = layer.channels();
        }
    }

    /** [batch, 3, height, width] to [batch, width, rows, columns]. */
    Tensor forward(Tensor pixels) {
        Tensor x = pixels;
        for (int i = 0; i < norms.size(); i++) {
            x = Activation.GELU.apply(norms.get(i).forward(convolutions.get(i).forward(x)));
        }
        return convolutions.get(norms.size()).forward(x);
    }
}
