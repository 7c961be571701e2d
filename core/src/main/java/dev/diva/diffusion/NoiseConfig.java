package dev.diva.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What a scheduler config says of the noise. Samplers differ, the noise that the model was trained with does not, so that every discrete
 * scheduler of diffusers is read alike.
 *
 * @param betas noise added at each timestep, fp32, before any rescaling
 * @param prediction what the denoiser predicts
 * @param zeroTerminalSnr whether the betas are rescaled so that the last timestep is noise alone
 */
public record NoiseConfig(float[] betas, Prediction prediction, boolean zeroTerminalSnr) {
    private static final int DEFAULT_TIMESTEPS = 1000;
    private static final int MAX_TIMESTEPS = 1_000_000;
    private static final double DEFAULT_BETA_START = 0.0001;
    private static final double DEFAULT_BETA_END = 0.02;
    private static final double COSINE_OFFSET = 0.008;
    private static final double MAX_BETA = 0.999;

    private static final Set<String> DISCRETE = Set.of(
            "DDPMScheduler",
            "DDPMParallelScheduler",
            "DDIMScheduler",
            "DDIMParallelScheduler",
            "DDIMInverseScheduler",
            "PNDMScheduler",
            "LMSDiscreteScheduler",
            "EulerDiscreteScheduler",
            "EulerAncestralDiscreteScheduler",
            "HeunDiscreteScheduler",
            "KDPM2DiscreteScheduler",
            "KDPM2AncestralDiscreteScheduler",
            "DPMSolverMultistepScheduler",
            "DPMSolverSinglestepScheduler",
            "DPMSolverSDEScheduler",
            "DPMSolverMultistepInverseScheduler",
            "DEISMultistepScheduler",
            "UniPCMultistepScheduler",
            "LCMScheduler",
            "TCDScheduler",
            "SASolverScheduler");

    /** Settings of another noise, with the values that mean this one. Those of samplers alone are not looked at. */
    private static final Map<String, Set<String>> ONLY =
            Map.of("use_flow_sigmas", Set.of("false"), "snr_shift_scale", Set.of("1", "1.0"));

    /** Settings that are followed, and those of samplers, which do not change the noise that a model was trained with. */
    private static final Set<String> FOLLOWED = Set.of(
            "algorithm_type",
            "beta_end",
            "beta_schedule",
            "beta_start",
            "clip_sample",
            "clip_sample_range",
            "corrector_order",
            "disable_corrector",
            "dynamic_thresholding_ratio",
            "euler_at_final",
            "final_sigmas_type",
            "flow_shift",
            "interpolation_type",
            "lambda_min_clipped",
            "lower_order_final",
            "noise_sampler_seed",
            "num_train_timesteps",
            "original_inference_steps",
            "predict_x0",
            "prediction_type",
            "predictor_order",
            "rescale_betas_zero_snr",
            "sample_max_value",
            "set_alpha_to_one",
            "sigma_max",
            "sigma_min",
            "skip_prk_steps",
            "solver_order",
            "solver_p",
            "solver_type",
            "steps_offset",
            "tau_func",
            "thresholding",
            "timestep_scaling",
            "timestep_spacing",
            "timestep_type",
            "trained_betas",
            "use_beta_sigmas",
            "use_exponential_sigmas",
            "use_karras_sigmas",
            "use_lu_lambdas",
            "variance_type");

    /** What a denoiser predicts, under the names of the config files. */
    public enum Prediction {
        /** The noise. */
        EPSILON,
        /** sqrt(abar_t) noise - sqrt(1 - abar_t) latent. */
        V_PREDICTION,
        /** The latent without noise. */
        SAMPLE
    }

    public NoiseConfig {
        betas = betas.clone();
        if (betas.length == 0) {
            throw new IllegalArgumentException("no betas");
        }
    }

    @Override
    public float[] betas() {
        return betas.clone();
    }

    /** Betas whose square roots rise evenly: every Stable Diffusion, with 1000 timesteps from 0.00085 to 0.012. */
    public static NoiseConfig scaledLinear(int timesteps, double betaStart, double betaEnd, Prediction prediction) {
        return new NoiseConfig(scaledLinear(timesteps, betaStart, betaEnd), prediction, false);
    }

    /**
     * Reads scheduler_config.json, with the defaults of diffusers for what is left out.
     *
     * @throws BadInputException for a scheduler without such a noise, an unknown schedule or prediction
     */
    public static NoiseConfig read(ConfigJson json) {
        String type = json.text("_class_name", "DDPMScheduler");
        if (!DISCRETE.contains(type)) {
            throw json.wrong(
                    "_class_name",
                    "a scheduler with noise at discrete timesteps, such as DDPMScheduler or PNDMScheduler");
        }
        json.requireOnly(ONLY);
        float[] betas = betas(json);
        for (int t = 0; t < betas.length; t++) {
            if (!(betas[t] > 0 && betas[t] <= 1)) {
                throw new BadInputException(json.location() + ": adds noise of variance " + betas[t] + " at timestep "
                        + t + ", expected above 0 and at most 1 at each: see beta_start, beta_end, trained_betas");
            }
        }
        return new NoiseConfig(betas, prediction(json), json.flag("rescale_betas_zero_snr", false));
    }

    /** Whether a setting is followed, refused where it asks for something else, or changes no number. */
    static boolean knows(String key) {
        return FOLLOWED.contains(key) || ONLY.containsKey(key);
    }

    private static Prediction prediction(ConfigJson json) {
        return switch (json.text("prediction_type", "epsilon")) {
            case "epsilon" -> Prediction.EPSILON;
            case "v_prediction" -> Prediction.V_PREDICTION;
            case "sample" -> Prediction.SAMPLE;
            default -> throw json.wrong("prediction_type", "epsilon, v_prediction or sample");
        };
    }

    private static float[] betas(ConfigJson json) {
        if (json.has("trained_betas")) {
            return trained(json);
        }
        int timesteps = Math.toIntExact(json.number("num_train_timesteps", DEFAULT_TIMESTEPS));
        if (timesteps < 1 || timesteps > MAX_TIMESTEPS) {
            throw json.wrong("num_train_timesteps", "1 to " + MAX_TIMESTEPS);
        }
        double start = json.fraction("beta_start", DEFAULT_BETA_START);
        double end = json.fraction("beta_end", DEFAULT_BETA_END);
        return switch (json.text("beta_schedule", "linear")) {
            case "linear" -> linear(timesteps, start, end);
            case "scaled_linear" -> scaledLinear(timesteps, start, end);
            case "squaredcos_cap_v2" -> cosine(timesteps);
            default -> throw json.wrong("beta_schedule", "linear, scaled_linear or squaredcos_cap_v2");
        };
    }

    private static float[] trained(ConfigJson json) {
        JsonNode values = json.node().path("trained_betas");
        float[] betas = new float[values.size()];
        boolean isSound = values.isArray() && !values.isEmpty();
        for (int i = 0; i < betas.length; i++) {
            isSound &= values.path(i).isNumber();
            betas[i] = (float) values.path(i).asDouble();
        }
        if (!isSound) {
            throw json.wrong("trained_betas", "a list of numbers");
        }
        return betas;
    }

    private static float[] linear(int timesteps, double start, double end) {
        try (PointerScope scope = new PointerScope()) {
            return Tensors.toFloats(evenly(timesteps, start, end));
        }
    }

    private static float[] scaledLinear(int timesteps, double start, double end) {
        try (PointerScope scope = new PointerScope()) {
            Tensor roots = evenly(timesteps, Math.sqrt(start), Math.sqrt(end));
            return Tensors.toFloats(roots.mul(roots));
        }
    }

    private static Tensor evenly(int timesteps, double start, double end) {
        return torch.linspace(new Scalar(start), new Scalar(end), timesteps, new TensorOptions(ScalarType.Float));
    }

    private static float[] cosine(int timesteps) {
        float[] betas = new float[timesteps];
        for (int i = 0; i < timesteps; i++) {
            double ratio = alphaBar((double) (i + 1) / timesteps) / alphaBar((double) i / timesteps);
            betas[i] = (float) Math.min(1 - ratio, MAX_BETA);
        }
        return betas;
    }

    private static double alphaBar(double time) {
        double cosine = Math.cos((time + COSINE_OFFSET) / (1 + COSINE_OFFSET) * Math.PI / 2);
        return cosine * cosine;
    }

    /** abar of every timestep: the cumulative product of 1 - beta in fp32. */
    float[] alphasCumprod() {
        try (PointerScope scope = new PointerScope()) {
            Tensor one = Tensors.of(new float[] {1}, 1);
            Tensor alphas = one.sub(Tensors.of(betas, betas.length));
            Tensor product = alphas.cumprod(0);
            return Tensors.toFloats(zeroTerminalSnr ? rescaled(product) : product);
        }
    }

    /** Algorithm 1 of Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed": sqrt(abar) moved to end at 0. */
    private static Tensor rescaled(Tensor product) {
        long last = product.size(0) - 1;
        Tensor roots = product.sqrt();
        Tensor first = roots.narrow(0, 0, 1);
        Tensor end = roots.narrow(0, last, 1);
        Tensor moved = roots.sub(end).mul(first.div(first.sub(end)));
        Tensor bars = moved.mul(moved);
        Tensor ratios = bars.narrow(0, 1, last).div(bars.narrow(0, 0, last));
        Tensor alphas = torch.cat(new TensorVector(bars.narrow(0, 0, 1), ratios), 0);
        // The reference goes through betas: one rounding more.
        Tensor one = Tensors.of(new float[] {1}, 1);
        return one.sub(one.sub(alphas)).cumprod(0);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NoiseConfig config
                && Arrays.equals(betas, config.betas)
                && prediction == config.prediction
                && zeroTerminalSnr == config.zeroTerminalSnr;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(betas);
    }

    @Override
    public String toString() {
        return betas.length + " timesteps, " + prediction + (zeroTerminalSnr ? ", zero terminal SNR" : "");
    }
}
