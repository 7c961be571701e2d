package dev.diva.posttrain.run;

import dev.diva.diffusion.DiffusionModel;
import dev.diva.posttrain.recipe.Recipe;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * Predicts the time of a step from one timed pass of zeros through each model, on a quarter of the pixels where the image is large: the
 * first step is not to wait for its prediction. Draws no random numbers.
 */
final class StepTime {
    /** The backward pass of frozen layers computes one product for each of the forward pass. */
    private static final double FROZEN = 2;
    /** That of trained layers two. */
    private static final double TRAINED = 3;
    /** Latents on a side from which a quarter of them keeps the kernels busy, and may be halved again by every denoiser. */
    private static final long LARGE = 64;

    private StepTime() {}

    static double predict(TrainingModels models, boolean cached) {
        Recipe recipe = models.recipe();
        DiffusionModel teacher = models.teacher();
        long batch = recipe.train().batch();
        long downscale = teacher.autoencoder().downscale();
        long whole = recipe.resolution() / downscale;
        long side = whole < LARGE ? whole : whole / 2;
        double pixels = (double) (whole * whole) / (side * side);
        long size = models.vision().tower().config().imageSize();
        long tokens = models.text().size(1);
        double denoiser = seconds(() -> teacher.denoiser()
                .predict(
                        zeros(batch, teacher.denoiser().latentChannels(), side, side),
                        torch.zeros(new long[] {batch}, new TensorOptions(torch.ScalarType.Long)),
                        zeros(batch, tokens, teacher.denoiser().crossAttentionDim())));
        double tower = seconds(() -> models.vision().tower().encode(zeros(batch, 3, size, size)));
        double autoencoder = cached
                ? 0
                : seconds(() -> teacher.autoencoder().encode(zeros(1, 3, side * downscale, side * downscale)));
        int draws = recipe.train().draws();
        int towers = recipe.feedback().towerPerDraw() ? draws : 1;
        return recipe.train().accumulate()
                * (draws * FROZEN * pixels * denoiser + towers * TRAINED * tower + batch * pixels * autoencoder);
    }

    private static Tensor zeros(long... shape) {
        return torch.zeros(shape);
    }

    private static double seconds(Runnable pass) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long started = System.nanoTime();
            pass.run();
            return (System.nanoTime() - started) * 1e-9;
        }
    }
}
