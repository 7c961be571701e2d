package dev.diva.posttrain.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.diva.feedback.DrawWeights;
import dev.diva.hub.CacheSize;
import dev.diva.train.CheckpointKeys;
import dev.diva.train.OptimizerSettings;
import dev.diva.train.RecipeChecks;
import dev.diva.train.Schedule;
import dev.diva.train.ScheduleName;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Everything that decides a run. Each key is explained in {@code corrected.yaml}; a null is a value that is found when the models are
 * known (format, recap, timesteps.max, denoiser), a part that is left out (cache, weightsCache, warmupSteps, maxGradNorm, eval), or a key
 * that the objective does not have.
 */
public record Recipe(
        String preset,
        ObjectiveName objective,
        Integer stage,
        String stage1,
        String projectors,
        String clip,
        String format,
        String diffusion,
        List<String> images,
        int resolution,
        Crop crop,
        Integer crops,
        boolean shuffle,
        Latents latents,
        Posterior posterior,
        String cache,
        String weightsCache,
        RemoteData data,
        String prompt,
        FluxShape denoiser,
        Levels levels,
        Contrast contrast,
        EmbeddingNoiseName embeddingNoise,
        Recap recap,
        Projection projection,
        Feedback feedback,
        double average,
        Guard guard,
        Trainable trainable,
        Timesteps timesteps,
        Train train,
        String precision,
        String device,
        boolean tf32,
        long seed,
        int workers,
        int threads,
        boolean lowMemory,
        double maxBadShare,
        CheckpointKeys checkpoint,
        Eval eval) {

    private static final int MOST_WORKERS = 256; // each keeps images in memory

    public Recipe {
        RecipeChecks.given("objective", objective);
        if (objective.hasStages()) {
            RecipeChecks.given("stage", stage);
            requireStage(stage);
        }
        if (objective == ObjectiveName.UN2CLIP) {
            RecipeChecks.given("embeddingNoise", embeddingNoise);
        }
        if (format != null) {
            RecipeChecks.oneOf("format", format, "hf", "open_clip", "openai", "diva");
        }
        RecipeChecks.given("images", images);
        RecipeChecks.given("data", data);
        latents = objective == ObjectiveName.DCR ? Latents.OWN : latents;
        posterior = objective == ObjectiveName.DIVA ? Posterior.MEAN : posterior;
        prompt = objective == ObjectiveName.GENHANCER ? "" : prompt;
        feedback = feedback == null ? Feedback.PLAIN : feedback;
        RecipeChecks.given("latents", latents);
        RecipeChecks.given("posterior", posterior);
        RecipeChecks.given("prompt", prompt);
        RecipeChecks.given("precision", precision);
        RecipeChecks.given("device", device);
        RecipeChecks.atLeast("resolution", resolution, 1);
        RecipeChecks.within("workers", workers, 1, MOST_WORKERS);
        RecipeChecks.atLeast("threads", threads, 0);
        RecipeChecks.within("average", average, 0, 1);
        RecipeChecks.within("maxBadShare", maxBadShare, 0, 1);
        if (crops != null) {
            RecipeChecks.atLeast("crops", crops, 1);
        }
        RecipeChecks.oneOf("precision", precision, "auto", "fp32", "bf16");
    }

    private static void requireStage(int stage) {
        if (stage != 1 && stage != 2) {
            throw new IllegalArgumentException("stage is " + stage + ", expected 1 or 2");
        }
    }

    /** What is kept of images behind addresses: in a folder (null: the user's), and how much, for instance 50GB. */
    public record RemoteData(String cache, String cacheSize) {
        public RemoteData {
            long unused = CacheSize.bytes("data.cacheSize", cacheSize);
        }
    }

    /** Boxes: shares of the area and width / height, each from and to. */
    public record Crop(List<Double> scale, List<Double> ratio) {
        public Crop {
            RecipeChecks.given("crop.scale", scale);
            RecipeChecks.given("crop.ratio", ratio);
            RecipeChecks.range("crop.scale", scale, 1);
            RecipeChecks.range("crop.ratio", ratio, Double.MAX_VALUE);
        }

        /** Whether every epoch sees the same box of an image: the whole of it, or its centre. */
        public boolean isFixed() {
            return scale.get(0) == 1;
        }
    }

    /** Whether nothing of the CLIP learns, because this is the first of two stages. */
    public boolean isFirstStage() {
        return objective.hasStages() && stage == 1;
    }

    /** Which method it is. */
    public enum ObjectiveName {
        @JsonProperty("diva")
        DIVA,
        @JsonProperty("genhancer")
        GENHANCER,
        @JsonProperty("dcr")
        DCR,
        @JsonProperty("un2clip")
        UN2CLIP;

        /** Whether a first stage trains what the second one tells the denoiser with. */
        public boolean hasStages() {
            return this == GENHANCER || this == DCR;
        }

        /** As recipes name it. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What of the autoencoder's posterior is an image's latent. */
    public enum Posterior {
        @JsonProperty("mean")
        MEAN,
        @JsonProperty("sampled")
        SAMPLED
    }

    /** How un2CLIP disturbs the embedding. */
    public enum EmbeddingNoiseName {
        @JsonProperty("none")
        NONE,
        @JsonProperty("generator")
        GENERATOR
    }

    /** Logit of GenHancer's noise levels. */
    public record Levels(double mean, double std) {}

    /** Which latent judges an image. */
    public enum Latents {
        @JsonProperty("own")
        OWN,
        @JsonProperty("shuffled")
        SHUFFLED
    }

    /** See {@link dev.diva.feedback.RecapSettings}; tokens null is the default of the backbone. */
    public record Recap(
            String tokens, Integer count, Double fraction, Integer window, boolean replacement, String text) {
        public Recap {
            if (tokens != null) {
                RecipeChecks.oneOf("recap.tokens", tokens, "random", "all", "pooled", "class");
            }
            if (text != null) {
                RecipeChecks.oneOf("recap.text", text, "elementwise", "mean", "none");
            }
        }
    }

    /**
     * The layer from the tower's tokens to the condition.
     *
     * @param init {@code random} or a file; null only until {@link Fit} has seen it
     * @param lr its own learning rate, or null for the tower's
     * @param frozen whether it learns only while it learns alone
     */
    public record Projection(String init, Double lr, boolean frozen) {
        public Projection {
            RecipeChecks.within("projection.lr", lr == null ? 0 : lr, 0, Double.MAX_VALUE);
        }
    }

    /** Whether the tower's training begins, with a warm-up of its own, where that of the projection ends. */
    private boolean isProjectionFrozen() {
        return projection != null && projection.frozen;
    }

    /** Learning rate of the projection in every step. */
    public Schedule projectionRates() {
        double lr = projection.lr == null ? train.lr : projection.lr;
        return projection.frozen ? train.rates(lr, 0, Math.max(1, train.projectionSteps)) : train.rates(lr);
    }

    /** First step in which the projection does not learn any more. */
    public long projectionEnd() {
        return projection.frozen ? train.projectionSteps : Long.MAX_VALUE;
    }

    /** Learning rate of all else in every step. */
    public Schedule rates() {
        return isProjectionFrozen() ? train.rates(train.lr, train.projectionSteps, train.steps) : train.rates(train.lr);
    }

    /** How a batch becomes a gradient. */
    public record Feedback(Pixels pixels, DrawWeightsName drawWeights, boolean towerPerDraw) {
        /** The only way of the methods beside DIVA's. */
        static final Feedback PLAIN = new Feedback(Pixels.CORRECTED, DrawWeightsName.MEAN, false);

        public Feedback {
            RecipeChecks.given("feedback.pixels", pixels);
            RecipeChecks.given("feedback.drawWeights", drawWeights);
        }

        /** What the two models see of a crop. */
        public enum Pixels {
            @JsonProperty("corrected")
            CORRECTED,
            @JsonProperty("published")
            PUBLISHED
        }

        /** {@link DrawWeights} as recipes name them. */
        public enum DrawWeightsName {
            @JsonProperty("mean")
            MEAN,
            @JsonProperty("sum")
            SUM,
            @JsonProperty("published")
            PUBLISHED;

            public DrawWeights weights() {
                return DrawWeights.valueOf(name());
            }
        }
    }

    /**
     * The penalty that keeps the embedding near the untouched tower's: weight of 1 - cosine, and of the squared change of similarity with texts.
     *
     * @param texts file with a text on each line, or null
     */
    public record Guard(double weight, String texts, double textsWeight) {
        public Guard {
            RecipeChecks.within("guard.weight", weight, 0, Double.MAX_VALUE);
            RecipeChecks.within("guard.textsWeight", textsWeight, 0, Double.MAX_VALUE);
        }

        /** Whether there is any. */
        public boolean isOn() {
            return weight != 0 || textsWeight != 0;
        }

        /** The texts, where they count. */
        public Optional<Path> textsFile() {
            return textsWeight == 0 ? Optional.empty() : Optional.of(Path.of(texts));
        }
    }

    /**
     * What of the tower learns.
     *
     * @param biases whether those of adapted layers learn as well; null for not
     * @param dropout of what enters an adapter; null for none
     */
    public record Trainable(
            Mode mode, int rank, double alpha, List<String> targets, Boolean biases, Double dropout, int lastBlocks) {
        private static final String[] TARGETS = {
            "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "visual_projection", "head.mlp.fc1", "head.mlp.fc2"
        };

        /** Whole tower, adapters, or the last layers. */
        public enum Mode {
            @JsonProperty("full")
            FULL,
            @JsonProperty("lora")
            LORA,
            @JsonProperty("blocks")
            BLOCKS
        }

        public Trainable {
            RecipeChecks.given("trainable.mode", mode);
            RecipeChecks.given("trainable.targets", targets);
            RecipeChecks.atLeast("trainable.rank", rank, 1);
            RecipeChecks.atLeast("trainable.lastBlocks", lastBlocks, 0);
            for (String target : targets) {
                RecipeChecks.oneOf("trainable.targets", target, TARGETS);
            }
            if (dropout != null && !(dropout >= 0 && dropout < 1)) {
                throw new IllegalArgumentException(
                        "trainable.dropout is " + dropout + ", expected 0 or more and less than 1");
            }
        }
    }

    /** The loop. */
    public record Train(
            long steps,
            int batch,
            int accumulate,
            int draws,
            OptimizerName optimizer,
            double lr,
            double momentum,
            List<Double> betas,
            double eps,
            double weightDecay,
            ScheduleName schedule,
            double warmupRatio,
            Long warmupSteps,
            Double maxGradNorm,
            Long projectionSteps) {
        /** Which optimiser. */
        public enum OptimizerName {
            @JsonProperty("sgd")
            SGD,
            @JsonProperty("adamw")
            ADAMW
        }

        public Train {
            projectionSteps = projectionSteps == null ? 0L : projectionSteps;
            RecipeChecks.given("train.optimizer", optimizer);
            RecipeChecks.given("train.betas", betas);
            RecipeChecks.given("train.schedule", schedule);
            RecipeChecks.atLeast("train.steps", steps, 1);
            RecipeChecks.atLeast("train.batch", batch, 1);
            RecipeChecks.atLeast("train.accumulate", accumulate, 1);
            RecipeChecks.atLeast("train.draws", draws, 1);
            RecipeChecks.within("train.lr", lr, 0, Double.MAX_VALUE);
            RecipeChecks.within("train.momentum", momentum, 0, 1);
            RecipeChecks.within("train.weightDecay", weightDecay, 0, Double.MAX_VALUE);
            RecipeChecks.within("train.warmupRatio", warmupRatio, 0, 1);
            RecipeChecks.atLeast("train.warmupSteps", warmupSteps == null ? 0 : warmupSteps, 0);
            RecipeChecks.atLeast("train.projectionSteps", projectionSteps, 0);
            if (betas.size() != 2) {
                throw new IllegalArgumentException("train.betas has " + betas.size() + " values, expected 2");
            }
            betas.forEach(beta -> RecipeChecks.within("train.betas", beta, 0, 1));
            if (maxGradNorm != null && !(maxGradNorm > 0)) {
                throw new IllegalArgumentException(
                        "train.maxGradNorm is " + maxGradNorm + ", expected above 0, or null for no clipping");
            }
        }

        /** The optimiser with its numbers. */
        public OptimizerSettings optimizerSettings() {
            return switch (optimizer) {
                case SGD -> new OptimizerSettings.Sgd(momentum, weightDecay);
                case ADAMW -> new OptimizerSettings.AdamW(betas.get(0), betas.get(1), eps, weightDecay);
            };
        }

        private Schedule rates(double lr) {
            return rates(lr, 0, steps);
        }

        private Schedule rates(double lr, long start, long end) {
            return new Schedule(schedule.kind(), lr, warmup(), end, start);
        }

        /** Steps in which the learning rate rises from 0. */
        public long warmup() {
            return warmupSteps == null ? Schedule.warmupSteps(warmupRatio, steps) : warmupSteps;
        }
    }

    /** Held-out scores; null for none. */
    public record Eval(String mmvp, Long every) {
        public Eval {
            RecipeChecks.atLeast("eval.every", every == null ? 1 : every, 1);
        }
    }
}
