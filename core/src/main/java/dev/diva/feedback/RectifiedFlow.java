package dev.diva.feedback;

import dev.diva.engine.BatchDraws;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Straight paths from latents to noise (Liu et al. 2022): (1 - t) latent + t noise at real levels t from 0 to 1, with the velocity noise -
 * latent as target. Levels are drawn first, then the noise.
 *
 * @param levels which are drawn
 */
public record RectifiedFlow(FlowLevels levels) implements NoiseProcess {
    @Override
    public Draw draw(Tensor latents, BatchDraws draws) {
        Tensor drawn = levels.sample(draws);
        Tensor noise = draws.randn(latents.size(1), latents.size(2), latents.size(3));
        return new Draw(
                Tensors.onto(drawn, latents.device(), torch.kFloat()),
                Tensors.onto(noise, latents.device(), torch.kFloat()));
    }

    @Override
    public Tensor noisy(Tensor latents, Draw draw) {
        return Scopes.returning(() -> {
            Tensor t = draw.levels().view(-1, 1, 1, 1);
            Tensor rest = t.neg().add(new Scalar(1));
            return latents.mul(rest).add(draw.noise().mul(t));
        });
    }

    @Override
    public Tensor target(Tensor latents, Draw draw) {
        return draw.noise().sub(latents);
    }
}
