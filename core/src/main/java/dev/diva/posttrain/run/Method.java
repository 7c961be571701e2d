package dev.diva.posttrain.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AdapterDropout;
import dev.diva.clip.VisionModel;
import dev.diva.data.ImageSet;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.Sampler;
import dev.diva.engine.Placement;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.ImageCondition;
import dev.diva.objective.TowerEmbedding;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.Objective;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** What a feedback method brings to a run beside the vision tower: its denoiser, what learns with it, and the objective. */
interface Method extends AutoCloseable {
    /**
     * That of a recipe.
     *
     * @param teacher becomes the method's; null for GenHancer, which reads its own autoencoder
     */
    static Method of(
            Recipe asked, VisionModel vision, AdapterDropout dropout, DiffusionModel teacher, Placement placement) {
        TowerEmbedding tower = new TowerEmbedding(vision.tower(), dropout);
        return switch (asked.objective()) {
            case DIVA -> new DivaMethod(asked, vision, teacher, placement);
            case GENHANCER -> new GenHancerMethod(asked, tower, placement);
            case DCR -> new DcrMethod(asked, tower, teacher, placement);
            case UN2CLIP -> new Un2ClipMethod(asked, tower, teacher, placement);
        };
    }

    /**
     * Fills in what the recipe leaves open and the models decide.
     *
     * @param keys of the recipe, to be added to
     */
    void resolve(ObjectNode keys);

    /**
     * Checks the recipe against the models, and makes what depends on both.
     *
     * @param recipe with nothing left open
     * @throws dev.diva.BadInputException when they contradict each other
     */
    void open(Recipe recipe);

    /**
     * Measures what the method needs to know of the images before training, with the untouched tower.
     *
     * @param images of the run
     */
    default void measure(ImageSet images) {}

    /** Makes clean latents. */
    Autoencoder autoencoder();

    /** Judges them. */
    Denoiser denoiser();

    /** What the denoiser is told of images; not before {@link #open}. */
    ImageCondition condition();

    /** Paints what the denoiser is told, in so many steps. */
    Sampler sampler(int steps);

    /** What height and width of a latent must be a multiple of. */
    long latentMultiple();

    /** What height and width of a latent are at most. */
    default long largestLatent() {
        return Long.MAX_VALUE;
    }

    /** Channels of a latent. */
    default long latentChannels() {
        return denoiser().latentChannels();
    }

    /** What the method was read from, for manifests. */
    List<Path> files();

    /** What was assumed because no file tells it: a line each. */
    default List<String> notes() {
        return List.of();
    }

    /**
     * Looks at what is frozen, once a loss is no number.
     *
     * @throws dev.diva.BadInputException naming a tensor that holds NaN or infinity
     */
    default void refuseBroken() {}

    /** Those of them that decide what a latent is. */
    List<Path> autoencoderFiles();

    /** The masters that learn beside the tower's. */
    Map<String, Tensor> parameters();

    /**
     * What training minimises.
     *
     * @param guard a penalty added to each batch, or null
     */
    Objective<ImageBatch> objective(EmbeddingGuard guard);

    /** Whether a micro-batch must be one process's as a whole, because its images are compared. */
    default boolean comparesImages() {
        return false;
    }

    /** What a micro-batch costs, for the predicted time of a step. */
    Passes passes();

    /** Writes what was trained beside the CLIP. */
    void write(RunFiles files);

    @Override
    void close();

    /**
     * Passes through the models, each forward pass and its backward pass counted.
     *
     * @param denoiser of the whole batch through the denoiser
     * @param tower the same through the tower
     */
    record Passes(double denoiser, double tower) {
        /** The backward pass of frozen layers computes one product for each of the forward pass. */
        static final double FROZEN = 2;
        /** That of trained layers two. */
        static final double TRAINED = 3;
    }

    /**
     * One pass of the denoiser.
     *
     * @param latents zeros, [batch, channels, side, side]
     */
    void denoise(Tensor latents);
}
