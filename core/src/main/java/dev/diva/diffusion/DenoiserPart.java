package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.flux.FluxConfig;
import dev.diva.diffusion.flux.FluxDenoiser;
import dev.diva.diffusion.flux.FluxTransformerConfig;
import dev.diva.diffusion.sana.SanaConfig;
import dev.diva.diffusion.sana.SanaDenoiser;
import dev.diva.diffusion.sd3.Sd3Config;
import dev.diva.diffusion.sd3.Sd3Denoiser;
import dev.diva.engine.Placement;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The part of a folder that predicts the noise, and who tells it of prompts.
 *
 * @param name of the part
 * @param anchor a name among its tensors
 * @param latentMultiple what height and width of its latents must be a multiple of
 * @param constructor of the denoiser
 * @param prompts null where the denoiser knows no text
 * @param unclip null unless it is a Stable unCLIP
 * @param largestLatent height and width of the largest latents that it has positions for
 */
record DenoiserPart(
        String name,
        String anchor,
        long latentMultiple,
        Function<Weights, Denoiser> constructor,
        TeacherPrompts prompts,
        UnclipEmbedding unclip,
        long largestLatent) {
    /** Of one that takes latents of any size. */
    DenoiserPart(
            String name,
            String anchor,
            long latentMultiple,
            Function<Weights, Denoiser> constructor,
            TeacherPrompts prompts,
            UnclipEmbedding unclip) {
        this(name, anchor, latentMultiple, constructor, prompts, unclip, Long.MAX_VALUE);
    }

    private static final String UNET = "unet";
    private static final String TRANSFORMER = "transformer";
    private static final String WHY = "a latent diffusion teacher has a denoiser in unet/ or transformer/";

    /** Positions are computed; old files hold them as well. */
    private static final Pattern POSITIONS = Pattern.compile("pos_embed\\.pos_embed");

    /** Kinds of denoisers. */
    enum Family {
        UNET,
        DIT,
        FLUX,
        SANA,
        SD3;

        static Family of(ModelFolder folder) {
            if (folder.has(DenoiserPart.UNET) || !folder.has(TRANSFORMER)) {
                return UNET;
            }
            return switch (folder.className(TRANSFORMER)) {
                case FluxTransformerConfig.CLASS -> FLUX;
                case SanaConfig.CLASS -> SANA;
                case Sd3Config.CLASS -> SD3;
                default -> DIT;
            };
        }

        /** Whether its noise is that of a rectified flow. */
        boolean isFlow() {
            return this == FLUX || this == SANA || this == SD3;
        }
    }

    static DenoiserPart of(Family family, ModelFolder folder, AutoencoderShape vae, Placement placement) {
        return switch (family) {
            case UNET -> unet(folder, vae, placement);
            case DIT -> dit(folder, vae, placement);
            case FLUX -> flux(folder, vae, placement);
            case SANA -> sana(folder, vae, placement);
            case SD3 -> sd3(folder, vae, placement);
        };
    }

    private static DenoiserPart unet(ModelFolder folder, AutoencoderShape vae, Placement placement) {
        PromptEncoder first = new PromptEncoder(folder, placement);
        ConfigJson json = folder.config(UNET, "config.json", WHY);
        UNetConfig config = UNetConfig.read(json);
        folder.understand(json, UNetConfig::knows);
        requireLatents(folder, UNET, config.latentChannels(), vae);
        boolean isXl = config.time().added() != null; // whose tokens come from two text encoders
        PromptEncoder second = isXl && folder.has("text_encoder_2") ? new PromptEncoder(folder, placement, "_2") : null;
        if (!isXl || second != null) {
            requireText(folder, config, first, second);
        }
        long classDim = config.time().classDim();
        return new DenoiserPart(
                UNET,
                "conv_in.weight",
                1,
                weights -> new UNet(weights, config),
                second == null ? new PlainPrompts(first) : new SdxlPrompts(first, second),
                classDim > 0 ? UnclipEmbedding.read(folder, classDim) : null);
    }

    private static void requireText(ModelFolder folder, UNetConfig config, PromptEncoder first, PromptEncoder second) {
        long width = first.width() + (second == null ? 0 : second.width());
        if (width != config.crossAttentionDim()) {
            throw new BadInputException(folder.folder() + ": unet/config.json has cross_attention_dim "
                    + config.crossAttentionDim() + ", text_encoder/config.json hidden_size " + first.width()
                    + (second == null ? "" : ", text_encoder_2/config.json " + second.width())
                    + ": not parts of one model");
        }
        if (second != null && second.projectionDim() != config.time().added().pooledDim()) {
            throw new BadInputException(folder.folder() + ": unet/config.json takes a pooled text of width "
                    + config.time().added().pooledDim() + ", text_encoder_2/config.json gives "
                    + second.projectionDim() + ": not parts of one model");
        }
    }

    private static DenoiserPart dit(ModelFolder folder, AutoencoderShape vae, Placement placement) {
        TeacherPrompts prompts =
                folder.has("text_encoder") ? new PlainPrompts(new PromptEncoder(folder, placement)) : null;
        ConfigJson json = folder.config(TRANSFORMER, "config.json", WHY);
        DitConfig config = DitConfig.read(json);
        folder.understand(json, DitConfig::knows);
        requireLatents(folder, TRANSFORMER, config.latentChannels(), vae);
        Function<Weights, Denoiser> constructor = weights -> {
            weights.ignore(POSITIONS);
            return new Dit(weights, config);
        };
        return new DenoiserPart(TRANSFORMER, "pos_embed.proj.weight", config.patchSize(), constructor, prompts, null);
    }

    private static DenoiserPart flux(ModelFolder folder, AutoencoderShape vae, Placement placement) {
        ConfigJson json = folder.config(TRANSFORMER, "config.json", WHY);
        FluxConfig config = FluxTransformerConfig.read(json);
        folder.understand(json, FluxTransformerConfig::knows);
        requireLatents(folder, TRANSFORMER, config.latentChannels(), vae);
        PromptEncoder clip = new PromptEncoder(folder, placement);
        requirePooled(folder, config.vectorDim(), clip.width());
        return new DenoiserPart(
                TRANSFORMER,
                "x_embedder.weight",
                FluxDenoiser.PATCH,
                weights -> FluxDenoiser.ofDiffusers(weights, config),
                new FluxPrompts(folder, placement, clip, config.contextDim()),
                null);
    }

    private static DenoiserPart sd3(ModelFolder folder, AutoencoderShape vae, Placement placement) {
        ConfigJson json = folder.config(TRANSFORMER, "config.json", WHY);
        Sd3Config config = Sd3Config.read(json);
        folder.understand(json, Sd3Config::knows);
        requireLatents(folder, TRANSFORMER, config.latentChannels(), vae);
        PromptEncoder first = new PromptEncoder(folder, placement);
        PromptEncoder second = new PromptEncoder(folder, placement, "_2");
        requirePooled(folder, config.vectorDim(), first.projectionDim() + second.projectionDim());
        if (first.width() + second.width() > config.contextDim()) {
            throw new BadInputException(folder.folder() + ": transformer/config.json has joint_attention_dim "
                    + config.contextDim() + ", the text encoders of CLIP hidden_size " + first.width() + " and "
                    + second.width() + ", which stand side by side in it: not parts of one model");
        }
        return new DenoiserPart(
                TRANSFORMER,
                "pos_embed.proj.weight",
                config.patchSize(),
                weights -> new Sd3Denoiser(weights, config),
                new Sd3Prompts(folder, placement, first, second, config.contextDim()),
                null,
                config.largestLatent());
    }

    private static DenoiserPart sana(ModelFolder folder, AutoencoderShape vae, Placement placement) {
        ConfigJson json = folder.config(TRANSFORMER, "config.json", WHY);
        SanaConfig config = SanaConfig.read(json);
        folder.understand(json, SanaConfig::knows);
        requireLatents(folder, TRANSFORMER, config.latentChannels(), vae);
        return new DenoiserPart(
                TRANSFORMER,
                "patch_embed.proj.weight",
                config.patchSize(),
                weights -> new SanaDenoiser(weights, config),
                new SanaPrompts(folder, placement, config.contextDim()),
                null);
    }

    private static void requirePooled(ModelFolder folder, long taken, long given) {
        if (taken != given) {
            throw new BadInputException(folder.folder() + ": transformer/config.json has pooled_projection_dim " + taken
                    + ", the text encoders of CLIP give " + given + ": not parts of one model");
        }
    }

    private static void requireLatents(ModelFolder folder, String part, long channels, AutoencoderShape vae) {
        if (channels != vae.latentChannels()) {
            throw new BadInputException(folder.folder() + ": " + part + "/config.json reads latents of " + channels
                    + " channels, vae/config.json makes " + vae.latentChannels()
                    + ": not parts of one text-to-image model");
        }
    }
}
