package dev.diva.posttrain.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.diva.train.RecipeChecks;

/**
 * What DCR's contrast of predictions is made of.
 *
 * @param temperature by which cosines are divided
 * @param target what predictions are compared with
 * @param noise whose noise latents get
 * @param secondView what its colour changes are done to
 * @param promptMask whether the prompt's padding is masked
 */
public record Contrast(double temperature, Target target, Noise noise, View secondView, boolean promptMask) {
    public Contrast {
        RecipeChecks.given("contrast.target", target);
        RecipeChecks.given("contrast.noise", noise);
        RecipeChecks.given("contrast.secondView", secondView);
        if (!(temperature > 0) || Double.isInfinite(temperature)) {
            throw new IllegalArgumentException("contrast.temperature is " + temperature + ", expected above 0");
        }
    }

    /** What predictions are compared with. */
    public enum Target {
        /** What the teacher predicts. */
        @JsonProperty("teacher")
        TEACHER,
        @JsonProperty("velocity")
        VELOCITY,
        @JsonProperty("noise")
        NOISE
    }

    /** Whose noise latents get. */
    public enum Noise {
        /** That of the teacher's scheduler. */
        @JsonProperty("teacher")
        TEACHER,
        /** That of Stable Diffusion, whatever the teacher. */
        @JsonProperty("published")
        PUBLISHED
    }

    /** What the second view's colour changes are done to. */
    public enum View {
        /** Bytes. */
        @JsonProperty("corrected")
        CORRECTED,
        /** Normalised pixels. */
        @JsonProperty("published")
        PUBLISHED
    }
}
