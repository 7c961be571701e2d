package dev.diva.diffusion.flux;

import dev.diva.checkpoint.DrawnWeights;
import dev.diva.checkpoint.TensorInfo;
import java.util.Map;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/**
 * A denoiser before training: every linear layer as torch makes it, weight and bias uniform within 1 / sqrt(inputs), scales of norms 1.
 * Nothing begins at zero, unlike in most diffusion transformers.
 */
final class InitialFlux {
    private static final String BIAS = ".bias";

    private InitialFlux() {}

    static DrawnWeights of(long seed) {
        return new DrawnWeights(seed, InitialFlux::draw);
    }

    private static Tensor draw(TensorInfo info, Generator random, Map<String, TensorInfo> asked) {
        String name = info.name();
        if (name.endsWith(".scale")) {
            return DrawnWeights.full(1, info.shape());
        }
        boolean isBias = name.endsWith(BIAS); // whose weight was asked for before
        TensorInfo weight = isBias ? asked.get(name.substring(0, name.length() - BIAS.length()) + ".weight") : info;
        return DrawnWeights.uniform(random, weight, info.shape());
    }
}
