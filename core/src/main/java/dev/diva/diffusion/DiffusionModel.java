package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ConvertedWeights;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * A frozen text-to-image latent diffusion model, read from a folder as the hub ships it: {@code unet} (or {@code transformer}), {@code vae}, {@code text_encoder},
 * {@code tokenizer}, {@code scheduler}. The weights of a part are read when it is first used. Those that are stored in the type that is computed in stay mapped,
 * shared between processes; none gets a gradient. Not thread safe.
 */
public final class DiffusionModel implements AutoCloseable {
    private static final String[] DIFFUSERS_NAMES = {"diffusion_pytorch_model"};

    private final ModelFolder folder;
    private final Placement placement;
    private final ConvertedWeights converted; // or null
    private final DenoiserPart.Family family;
    private final DenoiserPart denoiserPart;
    private Weights denoiserWeights; // null before the denoiser is used
    private Denoiser denoiser;
    private final Weights autoencoderWeights;
    private final Autoencoder autoencoder;
    private final NoiseSchedule schedule; // null of a rectified flow
    private final FlowSchedule flow; // of a rectified flow, else null

    private DiffusionModel(ModelFolder folder, Placement placement, ConvertedWeights converted) {
        this.folder = folder;
        this.placement = placement;
        this.converted = converted;
        this.family = DenoiserPart.Family.of(folder);
        String noise = "the noise that the model was trained with is unknown";
        this.schedule = family.isFlow() ? null : folder.schedule("scheduler", noise);
        this.flow = family.isFlow() ? folder.flow("scheduler", noise) : null;
        AutoencoderShape vae = folder.autoencoder("vae", "not a latent diffusion model without an autoencoder in vae/");
        this.denoiserPart = DenoiserPart.of(family, folder, vae, placement);
        folder.weightsFile(denoiserPart.name(), DIFFUSERS_NAMES); // remembered, even if it is not read
        TensorSource stored = folder.weights("vae", "encoder.conv_in.weight", DIFFUSERS_NAMES);
        this.autoencoderWeights = Weights.frozen(OldAutoencoderNames.translated(stored), placement);
        this.autoencoder = built(autoencoderWeights, weights -> Autoencoder.readWhenUsed(weights, vae));
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
            return new DiffusionModel(new ModelFolder(folder).requireKnown(), placement, converted);
        }
    }

    /** Why a folder of diffusers cannot be a teacher, as far as the classes of its parts tell; empty where it can. */
    public static Optional<String> refusal(Path folder) {
        try {
            new ModelFolder(folder).requireKnown();
            return Optional.empty();
        } catch (BadInputException e) {
            return Optional.of(e.getMessage());
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
        return family == DenoiserPart.Family.DIT;
    }

    /** What height and width of the denoiser's latents must be a multiple of. */
    public long latentMultiple() {
        return denoiserPart.latentMultiple();
    }

    /** Height and width of the largest latents that the denoiser takes. */
    public long largestLatent() {
        return denoiserPart.largestLatent();
    }

    /** Between pixels and latents. */
    public Autoencoder autoencoder() {
        return autoencoder;
    }

    /**
     * Noise by timestep, and what the denoiser predicts.
     *
     * @throws BadInputException when the noise is that of a rectified flow
     */
    public NoiseSchedule schedule() {
        if (schedule == null) {
            throw new BadInputException(folder.folder() + ": the noise of a " + folder.className("transformer")
                    + " is that of a rectified flow, and not asked for here; take a Stable Diffusion 1.x or 2.x");
        }
        return schedule;
    }

    /** Noise levels by timestep, where the noise is that of a rectified flow, whose velocity the denoiser predicts. */
    public Optional<FlowSchedule> flow() {
        return Optional.ofNullable(flow);
    }

    /** Timesteps are 0 (almost clean) to this, exclusive. */
    public int numTrainTimesteps() {
        return flow == null ? schedule.numTrainTimesteps() : flow.numTrainTimesteps();
    }

    /**
     * The text encoder's last hidden state after its final norm, with the padding of the folder's tokenizer. Opens the text encoder and
     * frees it again: keep the result.
     *
     * @return fp32 [1, 77, width], without gradient, owned by the caller's scope
     * @throws BadInputException when the model has no text encoder (a DiT as it is published), or others beside it that its denoiser is
     *     told by as well (SDXL, FLUX.1), or one of another kind (Sana)
     */
    public Tensor encodePrompt(String prompt) {
        return promptEncoder().encode(prompt);
    }

    /**
     * All that the denoiser is told of a prompt: {@link #encodePrompt}; of an SDXL the last layer but one of both text encoders side by side,
     * [1, 77, 2048], and as the vector the second one's pooled text, [1, 1280]; of FLUX.1 the states of T5, [1, 512, 4096], and CLIP's pooled
     * text, [1, 768]; of Sana the states of Gemma, as many as the prompt has tokens. What is computed belongs to the caller's scope.
     *
     * @throws BadInputException as {@link #encodePrompt}
     */
    public Condition encodeCondition(String prompt) {
        TeacherPrompts prompts = denoiserPart.prompts();
        return prompts == null || prompts.plain() != null ? Condition.of(encodePrompt(prompt)) : prompts.encode(prompt);
    }

    /** The vector of {@link #encodeCondition} alone, which asks less of the text encoders; null where the denoiser is told none. */
    public Tensor encodeVector(String prompt) {
        return denoiserPart.prompts() == null ? null : denoiserPart.prompts().vector(prompt);
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
        PromptEncoder prompts =
                denoiserPart.prompts() == null ? null : denoiserPart.prompts().plain();
        if (prompts == null || prompts.width() != denoiser().crossAttentionDim()) {
            throw new BadInputException(
                    folder.folder() + ": text_encoder/ does not give the condition of this denoiser," + " of width "
                            + denoiser().crossAttentionDim() + "; take a Stable Diffusion 1.x or 2.x for prompts");
        }
        return prompts;
    }

    /** How the denoiser is told of an image's embedding: of a Stable unCLIP alone. */
    public Optional<UnclipEmbedding> unclip() {
        return Optional.ofNullable(denoiserPart.unclip());
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
