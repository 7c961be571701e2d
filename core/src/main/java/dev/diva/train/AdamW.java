package dev.diva.train;

import dev.diva.engine.FusedUpdate;
import dev.diva.engine.SharedMemory;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Adam with decoupled weight decay as torch.optim.AdamW computes it. */
public final class AdamW implements Optimizer {
    private static final String MEAN = ".exp_avg";
    private static final String SQUARE = ".exp_avg_sq";
    private static final String STEP = ".step";

    private final OptimizerSettings.AdamW settings;
    private final SharedMemory memory;
    private final Buffers moments;
    private final Map<String, Long> counts = new TreeMap<>(); // updates of each parameter: some join later
    private final Predicate<Tensor> isFused;

    public AdamW(double beta1, double beta2, double eps, double weightDecay) {
        this(new OptimizerSettings.AdamW(beta1, beta2, eps, weightDecay), SharedMemory.none());
    }

    /** @param memory for two moments of every parameter */
    public AdamW(OptimizerSettings.AdamW settings, SharedMemory memory) {
        this(settings, memory, FusedUpdate::isFaster);
    }

    /** @param isFused which parameters are updated by one kernel for all */
    AdamW(OptimizerSettings.AdamW settings, SharedMemory memory, Predicate<Tensor> isFused) {
        this.isFused = isFused;
        this.settings = settings;
        this.memory = memory;
        this.moments = new Buffers(memory);
    }

    @Override
    public void update(Map<String, Tensor> parameters, ToDoubleFunction<String> rate, double gradientFactor) {
        moments.add(parameters, MEAN);
        moments.add(parameters, SQUARE);
        Map<Kind, List<String>> fused = new LinkedHashMap<>();
        parameters.forEach((name, parameter) -> {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                if (!parameter.grad().defined()) {
                    return;
                }
                long count = counts.merge(name, 1L, Long::sum);
                if (isFused.test(parameter)) {
                    Kind kind = new Kind(rate.applyAsDouble(name), decay(name), count);
                    fused.computeIfAbsent(kind, first -> new ArrayList<>()).add(name);
                } else {
                    update(name, parameter, gradientFactor, rate.applyAsDouble(name), count);
                }
            }
        });
        fused.forEach((kind, names) -> fused(kind, names, parameters, gradientFactor));
    }

    /** What parameters that are updated together have in common. */
    private record Kind(double rate, double decay, long count) {}

    private void fused(Kind kind, List<String> names, Map<String, Tensor> parameters, double factor) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            FusedUpdate.adamW(
                    new FusedUpdate.Update(
                            names.stream().map(parameters::get).map(memory::own).toList(),
                            names.stream()
                                    .map(name -> memory.own(parameters.get(name).grad()))
                                    .toList(),
                            factor),
                    names.stream().map(name -> moments.own(name + MEAN)).toList(),
                    names.stream().map(name -> moments.own(name + SQUARE)).toList(),
                    kind.count,
                    kind.rate,
                    kind.decay,
                    new FusedUpdate.AdamSettings(settings.beta1(), settings.beta2(), settings.eps()));
        }
    }

    private double decay(String name) {
        return settings.undecayed().contains(name) ? 0 : settings.weightDecay();
    }

    private void update(String name, Tensor parameter, double gradientFactor, double rate, long count) {
        Tensor mean = moments.own(name + MEAN);
        Tensor square = moments.own(name + SQUARE);
        Tensor gradient = memory.own(parameter.grad()).mul_(new Scalar(gradientFactor));
        double beta1 = settings.beta1();
        double beta2 = settings.beta2();
        Tensor own = memory.own(parameter).mul_(new Scalar(1 - rate * decay(name)));
        mean.lerp_(gradient, new Scalar(1 - beta1));
        square.mul_(new Scalar(beta2)).addcmul_(gradient, gradient, new Scalar(1 - beta2));
        double rootCorrection = Math.sqrt(1 - Math.pow(beta2, count));
        Tensor scale = square.sqrt().div_(new Scalar(rootCorrection)).add_(new Scalar(settings.eps()));
        own.addcdiv_(mean, scale, new Scalar(-rate / (1 - Math.pow(beta1, count))));
    }

    @Override
    public Map<String, Tensor> state() {
        Map<String, Tensor> state = new TreeMap<>(moments.all());
        counts.forEach((name, count) -> state.put(name + STEP, Tensors.of(new long[] {count}, 1)));
        return state;
    }

    @Override
    public void restore(Map<String, Tensor> state) {
        Map<String, Tensor> rest = new TreeMap<>(state);
        counts.clear();
        state.forEach((name, value) -> {
            if (name.endsWith(STEP)) {
                counts.put(name.substring(0, name.length() - STEP.length()), Tensors.toLongs(value)[0]);
                rest.remove(name);
            }
        });
        moments.restore(rest);
    }

    @Override
    public void close() {
        moments.close();
    }
}
