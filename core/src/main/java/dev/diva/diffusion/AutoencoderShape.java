package dev.diva.diffusion;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** Kinds of autoencoders, by what their configuration says. */
public sealed interface AutoencoderShape permits AutoencoderConfig, DeepAutoencoderConfig, TinyAutoencoderConfig {
    /** The classes of diffusers that are known. */
    Set<String> CLASSES = Set.of("AutoencoderKL", DeepAutoencoderConfig.CLASS, TinyAutoencoderConfig.CLASS);

    /** Channels of a latent. */
    long latentChannels();

    /** Pixels to a latent along each side. */
    int downscale();

    /** A scaled latent is (latent - {@link #shift}) * scalingFactor. */
    double scalingFactor();

    /** As above. */
    double shift();

    /** Whether the encoder gives a mean and a log-variance of each number, and not the number itself. */
    boolean hasVariance();

    /** The layers from an image to a latent, or to means and log-variances. */
    List<UnaryOperator<Tensor>> encoder(Weights weights);

    /** The layers from a latent to an image. */
    List<UnaryOperator<Tensor>> decoder(Weights weights);

    /**
     * Reads the config.json of an autoencoder of diffusers.
     *
     * @throws dev.diva.BadInputException for a class that is none of {@link #CLASSES}, or a part that is not computed here
     */
    static AutoencoderShape read(ConfigJson json) {
        json.requireOnly(Map.of("_class_name", CLASSES));
        return switch (json.text("_class_name", "")) {
            case DeepAutoencoderConfig.CLASS -> DeepAutoencoderConfig.read(json);
            case TinyAutoencoderConfig.CLASS -> TinyAutoencoderConfig.read(json);
            default -> AutoencoderConfig.read(json);
        };
    }

    /** The settings that the class of a configuration follows, refuses where they ask for something else, or that change no number. */
    static Predicate<String> known(ConfigJson json) {
        return switch (json.text("_class_name", "")) {
            case DeepAutoencoderConfig.CLASS -> DeepAutoencoderConfig::knows;
            case TinyAutoencoderConfig.CLASS -> TinyAutoencoderConfig::knows;
            default -> AutoencoderConfig::knows;
        };
    }
}
