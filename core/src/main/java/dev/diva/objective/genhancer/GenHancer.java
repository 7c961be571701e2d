package dev.diva.objective.genhancer;

import dev.diva.diffusion.flux.FluxConfig;
import dev.diva.diffusion.flux.FluxModel;
import dev.diva.engine.Placement;
import dev.diva.feedback.DenoisingLoss;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.ImageCondition;
import dev.diva.feedback.NoiseProcess;
import dev.diva.objective.MlpProjector;
import dev.diva.objective.TowerEmbedding;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * What GenHancer trains beside the tower: the denoiser and the two projectors, which turn an embedding into its token ({@code project_t5})
 * and its vector ({@code project_clip}). In the first stage they learn and the tower is frozen; in the second the tower's adapters learn,
 * alone or with them. Not thread safe.
 */
public final class GenHancer implements AutoCloseable {
    private static final String VECTOR = "project_clip";
    private static final String TOKEN = "project_t5";
    private static final String PROJECTORS = "projectors.safetensors";

    private final FluxModel model;
    private final MlpProjector vector;
    private final MlpProjector token;

    private GenHancer(FluxModel model, MlpProjector vector, MlpProjector token) {
        this.model = model;
        this.vector = vector;
        this.token = token;
    }

    /**
     * New, for the first stage.
     *
     * @param embeddingDim width of the tower's embeddings
     * @param seed from which all values follow
     */
    public static GenHancer random(FluxConfig config, long embeddingDim, long seed, Placement placement) {
        return new GenHancer(
                FluxModel.random(config, seed, placement),
                MlpProjector.random(VECTOR, embeddingDim, config.vectorDim(), seed, placement.device()),
                MlpProjector.random(TOKEN, embeddingDim, config.contextDim(), seed, placement.device()));
    }

    /**
     * From the folder that {@link #write} has made.
     *
     * @param learns whether all of it learns further
     * @throws dev.diva.BadInputException when a file is missing, damaged, or of another tower
     */
    public static GenHancer load(Path folder, long embeddingDim, Placement placement, boolean learns) {
        return load(folder, folder.resolve(PROJECTORS), embeddingDim, placement, learns);
    }

    /**
     * From a denoiser and a file with both projectors.
     *
     * @param denoiser as {@link FluxModel#load} takes it
     */
    public static GenHancer load(
            Path denoiser, Path projectors, long embeddingDim, Placement placement, boolean learns) {
        FluxModel model = FluxModel.load(denoiser, placement, learns);
        MlpProjector vector = null;
        try {
            FluxConfig config = model.denoiser().config();
            vector =
                    MlpProjector.load(projectors, VECTOR, embeddingDim, config.vectorDim(), placement.device(), learns);
            MlpProjector token =
                    MlpProjector.load(projectors, TOKEN, embeddingDim, config.contextDim(), placement.device(), learns);
            return new GenHancer(model, vector, token);
        } catch (RuntimeException e) {
            model.close();
            if (vector != null) {
                vector.close();
            }
            throw e;
        }
    }

    /** What the denoiser is told of images. */
    public ImageCondition condition(TowerEmbedding tower) {
        return new GenHancerCondition(tower, vector, token);
    }

    /**
     * The objective of either stage: which of tower, projectors and denoiser learn was decided when they were loaded.
     *
     * @param noise a {@link dev.diva.feedback.RectifiedFlow}, of logit-normal levels with mean 0 and std 1 as published
     * @param guard a penalty added to each batch, or null
     */
    public DiffusionFeedback feedback(
            TowerEmbedding tower, NoiseProcess noise, EmbeddingGuard guard, DiffusionFeedback.Settings settings) {
        return new DiffusionFeedback(condition(tower), new DenoisingLoss(model.denoiser(), noise), guard, settings);
    }

    /** The denoiser and its weights. */
    public FluxModel model() {
        return model;
    }

    /** The masters that learn: {@code denoiser.*}, {@code project_clip.*}, {@code project_t5.*}; empty when all is frozen. */
    public Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>(model.parameters());
        parameters.putAll(vector.parameters());
        parameters.putAll(token.parameters());
        return parameters;
    }

    /** Writes {@code denoiser.safetensors}, {@code denoiser.json} and {@code projectors.safetensors} into a folder. */
    public void write(Path folder) {
        model.write(folder);
        MlpProjector.write(folder.resolve(PROJECTORS), vector, token);
    }

    @Override
    public void close() {
        token.close();
        vector.close();
        model.close();
    }
}
