package dev.diva.posttrain.run;

import dev.diva.engine.Gpu;
import dev.diva.posttrain.recipe.Recipe;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Predicts the time of a step from one timed pass of zeros through each model, on a quarter of the pixels where the image is large: the
 * first step is not to wait for its prediction. Draws no random numbers.
 */
final class StepTime {
    /** Latents on a side from which a quarter of them keeps the kernels busy, and may be halved again by every denoiser. */
    private static final long LARGE = 64;

    private StepTime() {}

    static double predict(TrainingModels models, boolean cached) {
        Recipe recipe = models.recipe();
        Method method = models.method();
        long batch = recipe.train().batch();
        long downscale = method.autoencoder().downscale();
        long whole = recipe.resolution() / downscale;
        long side = whole < LARGE ? whole : whole / 2;
        double pixels = (double) (whole * whole) / (side * side);
        long size = models.vision().tower().config().imageSize();
        Device device = models.placement().device();
        double denoiser = seconds(device, () -> method.denoise(zeros(batch, method.latentChannels(), side, side)));
        double tower = seconds(device, () -> models.vision().tower().encode(zeros(batch, 3, size, size)));
        double autoencoder = cached
                ? 0
                : seconds(device, () -> method.autoencoder().encode(zeros(1, 3, side * downscale, side * downscale)));
        Method.Passes passes = method.passes();
        return recipe.train().accumulate()
                * (passes.denoiser() * pixels * denoiser + passes.tower() * tower + batch * pixels * autoencoder);
    }

    private static Tensor zeros(long... shape) {
        return torch.zeros(shape);
    }

    private static double seconds(Device device, Runnable pass) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long started = System.nanoTime();
            pass.run();
            Gpu.synchronize(device);
            return (System.nanoTime() - started) * 1e-9;
        }
    }
}
