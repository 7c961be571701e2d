package dev.diva.train;

import dev.diva.engine.GradientArrivals;
import dev.diva.engine.Scopes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The gradients of all trained parameters as one vector. In little memory, if asked for: the gradient of a matrix that is multiplied in
 * bf16 is fp32 in type only, so it is kept as bf16 as soon as it has arrived, where that loses nothing.
 */
final class Gradients implements AutoCloseable {
    private final Map<String, Tensor> parameters;
    private final GradientArrivals arrivals; // or null
    /** Room for all in bf16, one block: single tensors would lie between what the backward pass frees. Null while none is there. */
    private Tensor halves;

    private final Map<String, Long> places = new HashMap<>(); // in it
    private final Set<String> kept = new HashSet<>(); // parameters whose gradient is there and nowhere else

    Gradients(Map<String, Tensor> parameters, boolean isCompact) {
        this.parameters = parameters;
        List<String> names = List.copyOf(parameters.keySet());
        this.arrivals =
                isCompact ? new GradientArrivals(new ArrayList<>(parameters.values()), i -> keep(names.get(i))) : null;
        long place = 0;
        for (String name : names) {
            places.put(name, place);
            place += parameters.get(name).numel();
        }
    }

    private void keep(String name) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            if (halves == null) {
                long all = parameters.values().stream().mapToLong(Tensor::numel).sum();
                halves = Scopes.keep(room(all, ScalarType.BFloat16));
            }
            Tensor gradient = parameters.get(name).grad();
            Tensor half = half(name);
            if (kept.remove(name)) {
                gradient.add_(half); // of an earlier backward pass of the step
            }
            half.copy_(gradient);
            if (half.to(ScalarType.Float).equal(gradient)) {
                kept.add(name);
                parameters.get(name).mutable_grad().reset();
            }
        }
    }

    /** Where the parameters are. */
    private Tensor room(long numbers, ScalarType type) {
        Device device = parameters.values().iterator().next().device();
        return torch.empty(new long[] {numbers}, new TensorOptions(type).device(new DeviceOptional(device)), null);
    }

    private Tensor half(String name) {
        Tensor parameter = parameters.get(name);
        return halves.narrow(0, places.get(name), parameter.numel()).view_as(parameter);
    }

    /** To be called after the backward passes of a step. */
    void finish() {
        if (arrivals != null) {
            arrivals.finish();
        }
    }

    /** Frees them: the next backward pass brings its own, and until then their memory serves activations. */
    void clear() {
        parameters.values().forEach(parameter -> parameter.mutable_grad().reset());
        kept.clear();
        Scopes.release(halves);
        halves = null;
    }

    /** Some parameters with their fp32 gradients in place: all at once, or one after the other where they are kept in bf16. */
    void with(Map<String, Tensor> some, Consumer<Map<String, Tensor>> action) {
        if (kept.isEmpty()) {
            action.accept(some);
            return;
        }
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long most = some.values().stream().mapToLong(Tensor::numel).max().orElse(0);
            Tensor room = room(most, ScalarType.Float);
            some.forEach((name, parameter) -> {
                if (kept.contains(name)) {
                    Tensor gradient = room.narrow(0, 0, parameter.numel()).view_as(parameter);
                    parameter.mutable_grad().put(gradient.copy_(half(name)));
                }
                action.accept(Map.of(name, parameter));
                if (kept.contains(name)) {
                    parameter.mutable_grad().reset();
                }
            });
        }
    }

    /** Euclidean norm over some parameters, fp32; NaN or infinite when any gradient is. */
    Losses norm(Map<String, Tensor> some) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            TensorVector norms = new TensorVector();
            with(
                    some,
                    part -> part.values().forEach(parameter -> {
                        Tensor gradient = parameter.grad();
                        if (gradient.defined()) {
                            norms.push_back(gradient.norm());
                        }
                    }));
            return norms.empty()
                    ? Losses.of().and(0.0)
                    : Losses.of(torch.stack(norms).norm());
        }
    }

    /** The first of some parameters whose gradient holds a number that is not finite. */
    Optional<String> notFinite(Map<String, Tensor> some) {
        List<String> found = new ArrayList<>();
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            with(
                    some,
                    part -> part.forEach((name, parameter) -> {
                        Tensor gradient = parameter.grad();
                        if (gradient.defined() && !gradient.isfinite().all().item_bool()) {
                            found.add(name);
                        }
                    }));
        }
        return found.stream().findFirst();
    }

    /** What gradients of that norm are multiplied by: {@code maxNorm / (norm + 1e-6)}, at most 1, as {@code clip_grad_norm_} does. */
    static double clipFactor(double norm, double maxNorm) {
        return Math.min(1, maxNorm / (norm + 1e-6));
    }

    @Override
    public void close() {
        clear();
        if (arrivals != null) {
            arrivals.close();
        }
    }
}
