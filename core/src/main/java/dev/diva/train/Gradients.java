package dev.diva.train;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The gradients of all trained parameters as one vector. */
final class Gradients {
    private Gradients() {}

    /** Frees them: the next backward pass brings its own, and until then their memory serves activations. */
    static void clear(Collection<Tensor> parameters) {
        parameters.forEach(parameter -> parameter.mutable_grad().reset());
    }

    /** Euclidean norm over all parameters, fp32; NaN or infinite when any gradient is. */
    static double norm(Collection<Tensor> parameters) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            TensorVector norms = new TensorVector();
            each(parameters, gradient -> norms.push_back(gradient.norm()));
            return norms.empty() ? 0 : torch.stack(norms).norm().item().toDouble();
        }
    }

    /** The first parameter whose gradient holds a number that is not finite. */
    static Optional<String> notFinite(Map<String, Tensor> parameters) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            return parameters.entrySet().stream()
                    .filter(entry -> entry.getValue().grad().defined())
                    .filter(entry -> !entry.getValue().grad().isfinite().all().item_bool())
                    .map(Map.Entry::getKey)
                    .findFirst();
        }
    }

    /** What gradients of that norm are multiplied by: {@code maxNorm / (norm + 1e-6)}, at most 1, as {@code clip_grad_norm_} does. */
    static double clipFactor(double norm, double maxNorm) {
        return Math.min(1, maxNorm / (norm + 1e-6));
    }

    private interface Action {
        void on(Tensor gradient);
    }

    private static void each(Collection<Tensor> parameters, Action action) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            for (Tensor parameter : parameters) {
                Tensor gradient = parameter.grad();
                if (gradient.defined()) {
                    action.on(gradient);
                }
            }
        }
    }
}
