package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.ConvertedWeights;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A frozen text-to-image latent diffusion model, read from a folder as the hub ships it: {@code unet} (or {@code transformer}), {@code vae}, {@code text_encoder},
 * {@code tokenizer}, {@code scheduler}. The weights of a part are read when it is first used. Those that are stored in the type that is computed in stay mapped,
 * shared between processes; none gets a gradient. Not thread safe.
 */
public final class DiffusionModel implements AutoCloseable {
    private static final String[] DIFFUSERS_NAMES = {"diffusion_pytorch_model"};

    /** Positions are computed; old files hold them as well. */
    private static final Pattern POSITIONS = Pattern.compile("pos_embed\\.pos_embed");

    private final ModelFolder folder;
    private final Placement placement;
    private final ConvertedWeights converted; // or null
    private final DenoiserPart denoiserPart;
    private Weights denoiserWeights; // null before the denoiser is used
    private Denoiser denoiser;
    private final Weights autoencoderWeights;
    private final Autoencoder autoencoder;
    private final NoiseSchedule schedule;
    private final PromptEncoder prompts; // null where the denoiser knows no text
    private PromptEncoder secondPrompts; // of SDXL, else null
    private UnclipEmbedding unclip; // null unless it is a Stable unCLIP

    /**
     * The part of the folder that predicts the noise.
     *
     * @param anchor a name among its tensors
     * @param latentMultiple what height and width of its latents must be a multiple of
     */
    private record DenoiserPart(
            String name, String anchor, long latentMultiple, Function<Weights, Denoiser> constructor) {}

    private DiffusionModel(ModelFolder folder, Placement placement, ConvertedWeights converted) {
        this.folder = folder;
        this.placement = placement;
        this.converted = converted;
        this.schedule = folder.schedule("scheduler", "the noise that the model was trained with is unknown");
        AutoencoderShape vae = folder.autoencoder("vae", "not a latent diffusion model without an autoencoder in vae/");
        boolean isDit = !folder.has("unet") && folder.has("transformer");
        this.prompts = isDit && !folder.has("text_encoder") ? null : new PromptEncoder(folder, placement);
        this.denoiserPart = isDit ? dit(vae) : unet(vae);
        folder.weightsFile(denoiserPart.name(), DIFFUSERS_NAMES); // remembered, even if it is not read
        TensorSource stored = folder.weights("vae", "encoder.conv_in.weight", DIFFUSERS_NAMES);
        this.autoencoderWeights = Weights.frozen(OldAutoencoderNames.translated(stored), placement);
        this.autoencoder = built(autoencoderWeights, weights -> Autoencoder.readWhenUsed(weights, vae));
    }

    private DenoiserPart unet(AutoencoderShape vae) {
        ConfigJson json = folder.config(
                "unet", "config.json", "a latent diffusion teacher has a denoiser in unet/ or transformer/");
        UNetConfig config = UNetConfig.read(json);
        folder.understand(json, UNetConfig::knows);
        requireLatents("unet", config.latentChannels(), vae);
        boolean isXl = config.time().added() != null; // whose tokens come from two text encoders
        secondPrompts = isXl && folder.has("text_encoder_2") ? new PromptEncoder(folder, placement, "_2") : null;
        long width = prompts.width() + (secondPrompts == null ? 0 : secondPrompts.width());
        if ((!isXl || secondPrompts != null) && width != config.crossAttentionDim()) {
            throw new BadInputException(folder.folder() + ": unet/config.json has cross_attention_dim "
                    + config.crossAttentionDim() + ", text_encoder/config.json hidden_size " + prompts.width()
                    + (isXl ? ", text_encoder_2/config.json " + secondPrompts.width() : "")
                    + ": not parts of one model");
        }
        if (secondPrompts != null
                && secondPrompts.projectionDim() != config.time().added().pooledDim()) {
            throw new BadInputException(folder.folder() + ": unet/config.json takes a pooled text of width "
                    + config.time().added().pooledDim() + ", text_encoder_2/config.json gives "
                    + secondPrompts.projectionDim() + ": not parts of one model");
        }
        if (config.time().classDim() > 0) {
            unclip = UnclipEmbedding.read(folder, config.time().classDim());
        }
        return new DenoiserPart("unet", "conv_in.weight", 1, weights -> new UNet(weights, config));
    }

    private DenoiserPart dit(AutoencoderShape vae) {
        ConfigJson json = folder.config("transformer", "config.json", "a latent diffusion teacher has a denoiser");
        DitConfig config = DitConfig.read(json);
        folder.understand(json, DitConfig::knows);
        requireLatents("transformer", config.latentChannels(), vae);
        return new DenoiserPart("transformer", "pos_embed.proj.weight", config.patchSize(), weights -> {
            weights.ignore(POSITIONS);
            return new Dit(weights, config);
        });
    }

    private void requireLatents(String part, long channels, AutoencoderShape vae) {
        if (channels != vae.latentChannels()) {
            throw new BadInputException(folder.folder() + ": " + part + "/config.json reads latents of " + channels
                    + " channels, vae/config.json makes " + vae.latentChannels()
                    + ": not parts of one text-to-image model");
        }
    }

    /**
     * Loads a folder.
     *
     * @throws BadInputException when a part is missing, is none of a latent diffusion model, or does not fit the others
     */
    public static DiffusionModel load(Path folder, Placement placement) {
        return load(folder, placement, null);
    }

    /**
     * Loads a folder.
     *
     * @param converted keeps the denoiser's weights in the type that is computed in, or null
     * @throws BadInputException as {@link #load(Path, Placement)}
     */
    public static DiffusionModel load(Path folder, Placement placement, ConvertedWeights converted) {
        try (PointerScope scope = new PointerScope()) {
            return new DiffusionModel(new ModelFolder(folder), placement, converted);
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

    /**
     * What predicts the noise.
     *
     * @throws BadInputException at the first call, when its weights are damaged or others than its configuration says
     */
    public Denoiser denoiser() {
        if (denoiser == null) {
            try (PointerScope scope = new PointerScope()) {
                Weights weights = denoiserWeights();
                denoiser = built(weights, denoiserPart.constructor());
                denoiserWeights = weights;
            }
        }
        return denoiser;
    }

    /**
     * Looks at the denoiser's weights, where they have been read.
     *
     * @throws BadInputException naming a tensor that holds NaN or infinity
     */
    public void refuseBroken() {
        if (denoiserWeights != null) {
            BrokenWeights.refuse(denoiserWeights);
        }
    }

    private Weights denoiserWeights() {
        Supplier<TensorSource> stored =
                () -> folder.weights(denoiserPart.name(), denoiserPart.anchor(), DIFFUSERS_NAMES);
        return converted == null
                ? Weights.frozen(stored.get(), placement)
                : converted.frozen(stored, folder.files(denoiserPart.name()), placement, denoiserPart.constructor());
    }

    /** Whether the denoiser takes the mean of the condition's tokens, as a DiT does, and does not attend to each. */
    public boolean takesMean() {
        return denoiserPart.name().equals("transformer");
    }

    /** What height and width of the denoiser's latents must be a multiple of. */
    public long latentMultiple() {
        return denoiserPart.latentMultiple();
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
     * @throws BadInputException when the model has no text encoder (a DiT as it is published), or one whose states are not what its denoiser
     *     attends to (SDXL)
     */
    public Tensor encodePrompt(String prompt) {
        return promptEncoder().encode(prompt);
    }

    /**
     * All that the denoiser is told of a prompt: {@link #encodePrompt}; of an SDXL the last layer but one of both text encoders side by side,
     * [1, 77, 2048], and as the vector the second one's pooled text, [1, 1280]. What is computed belongs to the caller's scope.
     *
     * @throws BadInputException as {@link #encodePrompt}
     */
    public Condition encodeCondition(String prompt) {
        if (secondPrompts == null) {
            return Condition.of(encodePrompt(prompt));
        }
        Tensor first = prompts.penultimate(prompt, false).states();
        PromptEncoder.Penultimate second = secondPrompts.penultimate(prompt, true);
        return new Condition(torch.cat(new TensorVector(first, second.states()), -1), second.pooled());
    }

    /**
     * {@link #encodePrompt} with the tokenizer's attention mask, which Stable Diffusion itself does not pass: padding does not see padding,
     * so that the states differ from the third token of an empty prompt on.
     */
    public Tensor encodeMaskedPrompt(String prompt) {
        return promptEncoder().encodeMasked(prompt);
    }

    /**
     * The text encoder, open for many captions; the caller closes it.
     *
     * @throws BadInputException as {@link #encodePrompt}
     */
    public PromptStates prompts() {
        return promptEncoder().open();
    }

    private PromptEncoder promptEncoder() {
        if (prompts == null || prompts.width() != denoiser().crossAttentionDim()) {
            throw new BadInputException(
                    folder.folder() + ": text_encoder/ does not give the condition of this denoiser," + " of width "
                            + denoiser().crossAttentionDim() + "; take a Stable Diffusion 1.x or 2.x for prompts");
        }
        return prompts;
    }

    /** How the denoiser is told of an image's embedding: of a Stable unCLIP alone. */
    public Optional<UnclipEmbedding> unclip() {
        return Optional.ofNullable(unclip);
    }

    /** What was passed over because nothing is known of it: a line each, for people. */
    public List<String> notes() {
        return folder.notes();
    }

    /** Every config, tokenizer and weight file that the model is read from, for manifests. */
    public List<Path> files() {
        return folder.files();
    }

    @Override
    public void close() {
        if (denoiserWeights != null) {
            denoiserWeights.close();
        }
        autoencoderWeights.close();
    }
}
