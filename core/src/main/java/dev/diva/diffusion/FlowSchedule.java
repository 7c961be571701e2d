package dev.diva.diffusion;

import dev.diva.checkpoint.ConfigJson;
import java.util.Set;

/**
 * The noise levels of a rectified flow, (1 - level) latent + level noise, by timestep: those of diffusers' flow matching scheduler for
 * training. Immutable, owns no native memory.
 */
public final class FlowSchedule {
    private static final int TIMESTEPS = 1000;
    private static final String EULER = "FlowMatchEulerDiscreteScheduler";
    private static final String SOLVER = "DPMSolverMultistepScheduler";
    private static final String PREDICTION = "prediction_type";
    private static final String FLOW_SIGMAS = "use_flow_sigmas";

    /** Settings that are followed, those of sampling alone, and those of another noise that a solver knows as well. */
    private static final Set<String> FOLLOWED = Set.of(
            "algorithm_type",
            "base_image_seq_len",
            "base_shift",
            "beta_end",
            "beta_schedule",
            "beta_start",
            "dynamic_thresholding_ratio",
            "euler_at_final",
            "final_sigmas_type",
            "flow_shift",
            "invert_sigmas",
            "lambda_min_clipped",
            "lower_order_final",
            "max_image_seq_len",
            "max_shift",
            "num_train_timesteps",
            PREDICTION,
            "rescale_betas_zero_snr",
            "sample_max_value",
            "shift",
            "shift_terminal",
            "solver_order",
            "solver_type",
            "steps_offset",
            "stochastic_sampling",
            "thresholding",
            "time_shift_type",
            "timestep_spacing",
            "trained_betas",
            "use_beta_sigmas",
            "use_dynamic_shifting",
            "use_exponential_sigmas",
            FLOW_SIGMAS,
            "use_karras_sigmas",
            "use_lu_lambdas",
            "variance_type");

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
     * ({@code use_dynamic_shifting}), diffusers leaves the levels of training as they are. A DPM-Solver, which has none for training, gives its
     * {@code flow_shift}.
     *
     * @throws dev.diva.BadInputException for another scheduler, a solver of another noise, or other timesteps than 1000
     */
    public static FlowSchedule read(ConfigJson json) {
        String type = json.text("_class_name", EULER);
        if (!type.equals(EULER) && !type.equals(SOLVER)) {
            throw json.wrong("_class_name", EULER + " or " + SOLVER);
        }
        if (json.number("num_train_timesteps", TIMESTEPS) != TIMESTEPS) {
            throw json.wrong("num_train_timesteps", TIMESTEPS + ", by which denoisers of rectified flows count");
        }
        if (type.equals(SOLVER)) {
            return new FlowSchedule(TIMESTEPS, shiftOfSolver(json));
        }
        double shift = json.positive("shift", 1);
        return new FlowSchedule(TIMESTEPS, json.flag("use_dynamic_shifting", false) ? 1 : shift);
    }

    private static double shiftOfSolver(ConfigJson json) {
        if (!json.text(PREDICTION, "epsilon").equals("flow_prediction")) {
            throw json.wrong(PREDICTION, "flow_prediction");
        }
        if (!json.flag(FLOW_SIGMAS, false)) {
            throw json.wrong(FLOW_SIGMAS, "true");
        }
        return json.positive("flow_shift", 1);
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
