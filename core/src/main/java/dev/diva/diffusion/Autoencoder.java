package dev.diva.diffusion;

import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Between images and the latents of a diffusion model: diffusers' AutoencoderKL, AutoencoderDC and AutoencoderTiny. The weights may be frozen or trained;
 * nothing is drawn at random here.
 */
public final class Autoencoder {
    private static final double LOG_VARIANCE_MIN = -30;
    private static final double LOG_VARIANCE_MAX = 20;

    private final AutoencoderShape shape;
    private final Placement placement;
    private final Weights weights;
    private List<UnaryOperator<Tensor>> encoder; // null before it is read
    private List<UnaryOperator<Tensor>> decoder;
    private boolean isChecked; // so that a GPU is waited for once

    /**
     * The normal distribution of the latent of an image, not scaled; both fp32 [batch, latentChannels, h, w].
     *
     * @param mean of each number
     * @param logVariance clamped to -30 ... 20 as in diffusers; null where the encoder gives the latent itself (AutoencoderDC, AutoencoderTiny)
     */
    public record Posterior(Tensor mean, Tensor logVariance) {}

    private Autoencoder(Weights weights, AutoencoderShape shape) {
        this.shape = shape;
        this.placement = weights.placement();
        this.weights = weights;
    }

    /** Reads every tensor of an autoencoder. The caller ends with {@link Weights#finish} and closes the weights. */
    public static Autoencoder read(Weights weights, AutoencoderShape shape) {
        Autoencoder autoencoder = new Autoencoder(weights, shape);
        autoencoder.encoder();
        autoencoder.decoder();
        return autoencoder;
    }

    /** The same, but each half is only checked, and read with the first image or latent. */
    public static Autoencoder readWhenUsed(Weights weights, AutoencoderShape shape) {
        read(weights.unread(), shape);
        return new Autoencoder(weights, shape);
    }

    private List<UnaryOperator<Tensor>> encoder() {
        if (encoder == null) {
            encoder = shape.encoder(weights);
        }
        return encoder;
    }

    private List<UnaryOperator<Tensor>> decoder() {
        if (decoder == null) {
            decoder = shape.decoder(weights);
        }
        return decoder;
    }

    /** The shape that the weights were read with. */
    public AutoencoderShape shape() {
        return shape;
    }

    /** Where it computes. */
    public Device device() {
        return placement.device();
    }

    /** Pixels to a latent along each side: 8 in Stable Diffusion. */
    public int downscale() {
        return shape.downscale();
    }

    /**
     * The scaled mean of the posterior: what the denoiser calls a clean latent.
     *
     * @param pixels [batch, 3, H, W] in -1 ... 1; H and W multiples of {@link #downscale}
     * @return fp32 [batch, latentChannels, H / downscale, W / downscale], owned by the caller's scope
     */
    public Tensor encode(Tensor pixels) {
        return Scopes.returning(() -> scaled(posterior(pixels).mean()));
    }

    /**
     * A scaled sample of the posterior, mean + noise * exp(logVariance / 2), as most training programs take it.
     *
     * @param pixels as for {@link #encode(Tensor)}
     * @param noise standard normal, of the shape of the latent
     * @return as {@link #encode(Tensor)}; the same where the autoencoder knows no variance
     */
    public Tensor encode(Tensor pixels, Tensor noise) {
        return Scopes.returning(() -> {
            Posterior posterior = posterior(pixels);
            if (!shape.hasVariance()) {
                return scaled(posterior.mean());
            }
            Tensor deviation = posterior.logVariance().mul(new Scalar(0.5)).exp();
            return scaled(
                    posterior.mean().add(deviation.mul(Tensors.onto(noise, deviation.device(), ScalarType.Float))));
        });
    }

    private Tensor scaled(Tensor latent) {
        return latent.sub(new Scalar(shape.shift())).mul(new Scalar(shape.scalingFactor()));
    }

    /** The distribution that {@link #encode} takes the mean of; both tensors belong to the caller's scope. */
    public Posterior posterior(Tensor pixels) {
        requireShape(pixels, 3, downscale());
        Tensor moments = Scopes.returning(() -> {
            return through(encoder(), pixels).to(ScalarType.Float);
        });
        if (!moments.requires_grad()
                && (moments.is_cpu() || !isChecked)) { // frozen: nothing but its weights is to blame
            BrokenWeights.requireFinite(moments, weights);
            isChecked = true;
        }
        if (!shape.hasVariance()) {
            return new Posterior(moments, null);
        }
        long latent = shape.latentChannels();
        Tensor logVariance = moments.narrow(1, latent, latent)
                .clamp(
                        new ScalarOptional(new Scalar(LOG_VARIANCE_MIN)),
                        new ScalarOptional(new Scalar(LOG_VARIANCE_MAX)));
        return new Posterior(moments.narrow(1, 0, latent), logVariance);
    }

    /**
     * The image of a latent.
     *
     * @param latent scaled as {@link #encode} gives them, [batch, latentChannels, h, w]
     * @return fp32 [batch, 3, h * downscale, w * downscale], about -1 ... 1, not clamped; owned by the caller's scope
     */
    public Tensor decode(Tensor latent) {
        requireShape(latent, shape.latentChannels(), 1);
        return Scopes.returning(() -> {
            Tensor unscaled = Tensors.onto(
                    latent.to(ScalarType.Float)
                            .div(new Scalar(shape.scalingFactor()))
                            .add(new Scalar(shape.shift())),
                    placement.device(),
                    placement.precision().dtype());
            return through(decoder(), unscaled).to(ScalarType.Float);
        });
    }

    /** One layer after the other, each in a scope of its own, so that only the current image is held here. */
    private Tensor through(List<UnaryOperator<Tensor>> layers, Tensor x) {
        Tensor h = Tensors.onto(x, placement.device(), placement.precision().dtype());
        for (UnaryOperator<Tensor> layer : layers) {
            Tensor in = h;
            h = Scopes.returning(() -> layer.apply(in));
            in.close();
        }
        return h;
    }

    private static void requireShape(Tensor x, long channels, int multiple) {
        if (x.dim() != 4 || x.size(1) != channels || x.size(2) % multiple != 0 || x.size(3) % multiple != 0) {
            throw new IllegalArgumentException(Arrays.toString(x.shape()) + ", expected [batch, " + channels
                    + ", height, width], both multiples of " + multiple);
        }
    }
}
