package dev.diva.mllm.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.PromptTemplate;
import dev.diva.train.CheckpointKeys;
import dev.diva.train.OptimizerSettings;
import dev.diva.train.RecipeChecks;
import dev.diva.train.Schedule;
import dev.diva.train.ScheduleName;
import java.util.List;

/** Everything that decides a stage; each key is explained in {@code projector.yaml} and {@code instruct.yaml}. */
public record StageRecipe(
        Stage stage,
        String llava,
        String base,
        String tower,
        String format,
        String projector,
        String data,
        String images,
        Template template,
        Aspect imageAspect,
        Order order,
        int maxLength,
        Trainable trainable,
        Train train,
        Output output,
        String precision,
        String device,
        boolean tf32,
        long seed,
        int threads,
        boolean lowMemory,
        double maxBadShare,
        CheckpointKeys checkpoint) {
    private static final int SHORTEST = 2;

    public StageRecipe {
        RecipeChecks.given("stage", stage);
        RecipeChecks.given("template", template);
        RecipeChecks.given("imageAspect", imageAspect);
        RecipeChecks.given("order", order);
        RecipeChecks.given("device", device);
        if (format != null) {
            RecipeChecks.oneOf("format", format, "hf", "open_clip", "openai", "diva");
        }
        RecipeChecks.oneOf("precision", precision, "auto", "fp32", "bf16");
        RecipeChecks.atLeast("maxLength", maxLength, SHORTEST);
        RecipeChecks.atLeast("threads", threads, 0);
        RecipeChecks.within("maxBadShare", maxBadShare, 0, 1);
    }

    /** Which of both stages. */
    public enum Stage {
        /** Captions teach the projector. */
        @JsonProperty("projector")
        PROJECTOR,
        /** Conversations teach projector and language model. */
        @JsonProperty("instruct")
        INSTRUCT
    }

    /** How a conversation becomes text. */
    public enum Template {
        @JsonProperty("plain")
        PLAIN(PromptTemplate.PLAIN),
        @JsonProperty("v1")
        V1(PromptTemplate.VICUNA_V1);

        private final PromptTemplate prompts;

        Template(PromptTemplate prompts) {
            this.prompts = prompts;
        }

        PromptTemplate prompts() {
            return prompts;
        }
    }

    /** {@link ImageAspect} as recipes name it. */
    public enum Aspect {
        @JsonProperty("pad")
        PAD(ImageAspect.PAD),
        @JsonProperty("crop")
        CROP(ImageAspect.CROP);

        private final ImageAspect aspect;

        Aspect(ImageAspect aspect) {
            this.aspect = aspect;
        }

        ImageAspect aspect() {
            return aspect;
        }
    }

    /** In which order samples come. */
    public enum Order {
        @JsonProperty("random")
        RANDOM,
        @JsonProperty("grouped")
        GROUPED,
        @JsonProperty("file")
        FILE
    }

    /** What is written. */
    public enum Output {
        @JsonProperty("part")
        PART,
        @JsonProperty("merged")
        MERGED
    }

    /** What learns; rank and what follows are of adapters. */
    public record Trainable(Mode mode, Integer rank, Double alpha, Double dropout, List<String> targets) {
        private static final String[] TARGETS = {
            "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"
        };

        /** Projector alone, with adapters, with the whole language model. */
        public enum Mode {
            @JsonProperty("projector")
            PROJECTOR,
            @JsonProperty("lora")
            LORA,
            @JsonProperty("full")
            FULL
        }

        public Trainable {
            RecipeChecks.given("trainable.mode", mode);
            if (mode == Mode.LORA) {
                RecipeChecks.given("trainable.rank", rank);
                RecipeChecks.given("trainable.alpha", alpha);
                RecipeChecks.given("trainable.dropout", dropout);
                RecipeChecks.given("trainable.targets", targets);
                RecipeChecks.atLeast("trainable.rank", rank, 1);
                if (targets.isEmpty()) {
                    throw new IllegalArgumentException("trainable.targets is empty, expected names of layers");
                }
                for (String target : targets) {
                    RecipeChecks.oneOf("trainable.targets", target, TARGETS);
                }
                if (!(dropout >= 0 && dropout < 1)) {
                    throw new IllegalArgumentException(
                            "trainable.dropout is " + dropout + ", expected 0 or more and less than 1");
                }
            }
        }
    }

    /** The loop. */
    public record Train(
            double epochs,
            Long steps,
            int batch,
            int accumulate,
            Double lr,
            Double projectorLr,
            List<Double> betas,
            double eps,
            double weightDecay,
            ScheduleName schedule,
            double warmupRatio,
            Long warmupSteps,
            Double maxGradNorm) {
        public Train {
            RecipeChecks.given("train.betas", betas);
            RecipeChecks.given("train.schedule", schedule);
            RecipeChecks.atLeast("train.steps", steps == null ? 1 : steps, 1);
            RecipeChecks.atLeast("train.batch", batch, 1);
            RecipeChecks.atLeast("train.accumulate", accumulate, 1);
            RecipeChecks.within("train.lr", lr == null ? 0 : lr, 0, Double.MAX_VALUE);
            RecipeChecks.within("train.projectorLr", projectorLr == null ? 0 : projectorLr, 0, Double.MAX_VALUE);
            RecipeChecks.within("train.weightDecay", weightDecay, 0, Double.MAX_VALUE);
            RecipeChecks.within("train.warmupRatio", warmupRatio, 0, 1);
            RecipeChecks.atLeast("train.warmupSteps", warmupSteps == null ? 0 : warmupSteps, 0);
            if (!(epochs > 0)) {
                throw new IllegalArgumentException("train.epochs is " + epochs + ", expected above 0");
            }
            if (betas.size() != 2) {
                throw new IllegalArgumentException("train.betas has " + betas.size() + " values, expected 2");
            }
            betas.forEach(beta -> RecipeChecks.within("train.betas", beta, 0, 1));
            if (maxGradNorm != null && !(maxGradNorm > 0)) {
                throw new IllegalArgumentException(
                        "train.maxGradNorm is " + maxGradNorm + ", expected above 0, or null for no clipping");
            }
        }

        /** Steps of so many samples, each seen in every epoch; the last step is filled up from the next one. */
        long steps(int samples) {
            return steps != null ? steps : (long) Math.ceil(samples * epochs / ((double) batch * accumulate));
        }

        /** Rates of all that learns but the projector; on a resolved recipe. */
        Schedule rates() {
            return rates(lr);
        }

        Schedule projectorRates() {
            return rates(projectorLr == null ? lr : projectorLr);
        }

        private Schedule rates(double peak) {
            long warmup = warmupSteps == null ? Schedule.warmupSteps(warmupRatio, steps) : warmupSteps;
            return new Schedule(schedule.kind(), peak, warmup, steps);
        }

        OptimizerSettings optimizer() {
            return new OptimizerSettings.AdamW(betas.get(0), betas.get(1), eps, weightDecay);
        }
    }
}
