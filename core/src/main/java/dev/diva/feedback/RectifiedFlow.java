package dev.diva.feedback;

import dev.diva.engine.BatchDraws;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Straight paths from latents to noise (Liu et al. 2022): (1 - t) latent + t noise at real levels t from 0 to 1, with the velocity noise -
 * latent as target. Levels are drawn first, then the noise.
 *
 * @param levels which are drawn
 * @param weight what an error counts at each of them
 */
public record RectifiedFlow(FlowLevels levels, LevelWeight weight) implements NoiseProcess {
    /** Errors count as they are, those of the velocity. */
    public RectifiedFlow(FlowLevels levels) {
        this(levels, LevelWeight.NONE);
    }

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
            return latents.mul(rest(draw)).add(draw.noise().mul(t));
        });
    }

    @Override
    public Tensor target(Tensor latents, Draw draw) {
        return draw.noise().sub(latents);
    }

    /** A velocity off by d is noise off by (1 - t) d. */
    @Override
    public Optional<Tensor> weight(Draw draw) {
        return weight == LevelWeight.NOISE ? Optional.of(rest(draw).square()) : Optional.empty();
    }

    /** 1 - t of each image. */
    private static Tensor rest(Draw draw) {
        return draw.levels().view(-1, 1, 1, 1).neg().add(new Scalar(1));
    }
}
