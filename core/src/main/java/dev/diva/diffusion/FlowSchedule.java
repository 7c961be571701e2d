package dev.diva.diffusion;

import dev.diva.checkpoint.ConfigJson;
import java.util.Map;
import java.util.Set;

/**
 * The noise levels of a rectified flow, (1 - level) latent + level noise, by timestep: those of diffusers' flow matching scheduler for
 * training. Immutable, owns no native memory.
 */
public final class FlowSchedule {
    private static final int TIMESTEPS = 1000;
    private static final String CLASS = "FlowMatchEulerDiscreteScheduler";

    /** Settings that are followed, and those of sampling alone. */
    private static final Set<String> FOLLOWED = Set.of(
            "base_image_seq_len",
            "base_shift",
            "invert_sigmas",
            "max_image_seq_len",
            "max_shift",
            "num_train_timesteps",
            "shift",
            "shift_terminal",
            "stochastic_sampling",
            "time_shift_type",
            "use_beta_sigmas",
            "use_dynamic_shifting",
            "use_exponential_sigmas",
            "use_karras_sigmas");

    private final double shift;
    private final float[] levels; // rising

    /**
     * Evenly spread levels 1 / timesteps to 1, moved towards the noise: shift s / (1 + (shift - 1) s).
     *
     * @param timesteps how many
     * @param shift above 0; 1 moves nothing
     */
    public FlowSchedule(int timesteps, double shift) {
        this.shift = shift;
        this.levels = new float[timesteps];
        for (int i = 0; i < timesteps; i++) { // in fp32 step by step as the reference
            float even = (float) (i + 1) / timesteps;
            levels[i] = (float) shift * even / (1 + (float) (shift - 1) * even);
        }
    }

    /**
     * Reads scheduler_config.json, with the defaults of diffusers for what is left out. Where the shift depends on the size of the image
     * ({@code use_dynamic_shifting}), diffusers leaves the levels of training as they are.
     *
     * @throws dev.diva.BadInputException for another scheduler, or other timesteps than 1000
     */
    public static FlowSchedule read(ConfigJson json) {
        json.requireOnly(Map.of("_class_name", Set.of(CLASS)));
        if (json.number("num_train_timesteps", TIMESTEPS) != TIMESTEPS) {
            throw json.wrong("num_train_timesteps", TIMESTEPS + ", by which denoisers of rectified flows count");
        }
        double shift = json.positive("shift", 1);
        return new FlowSchedule(TIMESTEPS, json.flag("use_dynamic_shifting", false) ? 1 : shift);
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    static boolean knows(String key) {
        return FOLLOWED.contains(key);
    }

    /** Timesteps are 0 (almost clean) to this, exclusive. */
    public int numTrainTimesteps() {
        return levels.length;
    }

    /** The level of one timestep: above 0, and 1 at the last. */
    public float level(int timestep) {
        return levels[timestep];
    }

    /** How far the levels are moved towards the noise. */
    public double shift() {
        return shift;
    }
}
