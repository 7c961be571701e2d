package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * A frozen text-to-image latent diffusion model, read from a folder as the hub ships it: {@code unet}, {@code vae}, {@code text_encoder},
 * {@code tokenizer}, {@code scheduler}. Weights that are stored in the type that is computed in stay mapped, shared between processes;
 * none gets a gradient. Not thread safe.
 */
public final class DiffusionModel implements AutoCloseable {
    private static final String[] DIFFUSERS_NAMES = {"diffusion_pytorch_model"};

    private final ModelFolder folder;
    private final Weights denoiserWeights;
    private final Weights autoencoderWeights;
    private final UNet denoiser;
    private final Autoencoder autoencoder;
    private final NoiseSchedule schedule;
    private final PromptEncoder prompts;

    private DiffusionModel(ModelFolder folder, Placement placement) {
        this.folder = folder;
        UNetConfig unet = UNetConfig.read(
                folder.config("unet", "config.json", "a latent diffusion teacher has a denoiser in unet/"));
        AutoencoderConfig vae = AutoencoderConfig.read(
                folder.config("vae", "config.json", "not a latent diffusion model without an autoencoder in vae/"));
        this.schedule = new NoiseSchedule(NoiseConfig.read(folder.config(
                "scheduler", "scheduler_config.json", "the noise that the model was trained with is unknown")));
        this.prompts = new PromptEncoder(folder, placement);
        requireFit(unet, vae);
        TensorSource unetSource = folder.weights("unet", DIFFUSERS_NAMES);
        this.denoiserWeights = Weights.frozen(unetSource, placement);
        this.denoiser = built(denoiserWeights, weights -> new UNet(weights, unet));
        try {
            TensorSource stored = folder.weights("vae", DIFFUSERS_NAMES);
            this.autoencoderWeights = Weights.frozen(OldAutoencoderNames.translated(stored), placement);
            this.autoencoder = built(autoencoderWeights, weights -> new Autoencoder(weights, vae));
        } catch (RuntimeException e) {
            denoiserWeights.close();
            throw e;
        }
    }

    /**
     * Loads a folder.
     *
     * @throws BadInputException when a part is missing, is none of a latent diffusion model, or does not fit the others
     */
    public static DiffusionModel load(Path folder, Placement placement) {
        try (PointerScope scope = new PointerScope()) {
            return new DiffusionModel(new ModelFolder(folder), placement);
        }
    }

    private static <T> T built(Weights weights, Function<Weights, T> constructor) {
        try {
            T model = constructor.apply(weights);
            weights.finish();
            return model;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private void requireFit(UNetConfig unet, AutoencoderConfig vae) {
        if (unet.latentChannels() != vae.latentChannels()) {
            throw new BadInputException(folder.folder() + ": unet/config.json reads latents of " + unet.latentChannels()
                    + " channels, vae/config.json makes " + vae.latentChannels() + ": not parts of one model");
        }
        if (unet.time().added() == null && prompts.width() != unet.crossAttentionDim()) {
            throw new BadInputException(folder.folder() + ": unet/config.json has cross_attention_dim "
                    + unet.crossAttentionDim() + ", text_encoder/config.json hidden_size " + prompts.width()
                    + ": not parts of one model");
        }
    }

    /** What predicts the noise. */
    public Denoiser denoiser() {
        return denoiser;
    }

    /** Between pixels and latents. */
    public Autoencoder autoencoder() {
        return autoencoder;
    }

    /** Noise by timestep, and what the denoiser predicts. */
    public NoiseSchedule schedule() {
        return schedule;
    }

    /**
     * The text encoder's last hidden state after its final norm, with the padding of the folder's tokenizer. Opens the text encoder and
     * frees it again: keep the result.
     *
     * @return fp32 [1, 77, width], without gradient, owned by the caller's scope
     */
    public Tensor encodePrompt(String prompt) {
        return prompts.encode(prompt);
    }

    /** Every config, tokenizer and weight file that the model is read from, for manifests. */
    public List<Path> files() {
        return folder.files();
    }

    @Override
    public void close() {
        denoiserWeights.close();
        autoencoderWeights.close();
    }
}
