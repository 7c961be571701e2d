package dev.diva.posttrain.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.diva.feedback.LevelWeight;
import dev.diva.feedback.TimestepSampler;
import dev.diva.train.RecipeChecks;

/** Noise levels; max null is the teacher's last, weight null none. */
public record Timesteps(long min, Long max, Distribution distribution, double mean, double std, Weight weight) {
    /** {@link LevelWeight} as recipes name them. */
    public enum Weight {
        @JsonProperty("none")
        NONE,
        @JsonProperty("velocity")
        VELOCITY,
        @JsonProperty("noise")
        NOISE
    }

    /** {@link TimestepSampler.Distribution} as recipes name them. */
    public enum Distribution {
        @JsonProperty("uniform")
        UNIFORM,
        @JsonProperty("logit-normal")
        LOGIT_NORMAL
    }

    public Timesteps {
        RecipeChecks.given("timesteps.distribution", distribution);
        weight = weight == null ? Weight.NONE : weight;
    }

    /** What an error counts at its level. */
    public LevelWeight levelWeight() {
        return LevelWeight.valueOf(weight.name());
    }

    /** The sampler; to be called on a resolved recipe. */
    public TimestepSampler sampler() {
        return new TimestepSampler(min, max, TimestepSampler.Distribution.valueOf(distribution.name()), mean, std);
    }
}
