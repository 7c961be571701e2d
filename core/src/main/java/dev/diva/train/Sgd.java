package dev.diva.train;

import dev.diva.engine.FusedUpdate;
import dev.diva.engine.SharedMemory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Stochastic gradient descent with momentum as torch.optim.SGD computes it. */
public final class Sgd implements Optimizer {
    private final double momentum;
    private final double weightDecay;
    private final SharedMemory memory;
    private final Buffers momenta;
    private final Predicate<Tensor> isFused;

    public Sgd(double momentum, double weightDecay) {
        this(momentum, weightDecay, SharedMemory.none());
    }

    /** @param memory for one momentum of every parameter */
    public Sgd(double momentum, double weightDecay, SharedMemory memory) {
        this(momentum, weightDecay, memory, FusedUpdate::isFaster);
    }

    /** @param isFused which parameters are updated by one kernel for all */
    Sgd(double momentum, double weightDecay, SharedMemory memory, Predicate<Tensor> isFused) {
        this.isFused = isFused;
        this.momentum = momentum;
        this.weightDecay = weightDecay;
        this.memory = memory;
        this.momenta = new Buffers(memory);
    }

    @Override
    public void update(Map<String, Tensor> parameters, ToDoubleFunction<String> rate, double gradientFactor) {
        if (momentum != 0) {
            momenta.add(parameters, "");
        }
        Map<Double, List<String>> fused = new LinkedHashMap<>(); // by rate
        parameters.forEach((name, parameter) -> {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                if (parameter.grad().defined() && isFused.test(parameter)) {
                    fused.computeIfAbsent(rate.applyAsDouble(name), first -> new ArrayList<>())
                            .add(name);
                } else if (parameter.grad().defined()) {
                    memory.own(parameter)
                            .add_(direction(name, parameter, gradientFactor), new Scalar(-rate.applyAsDouble(name)));
                    parameter.mutable_grad().reset();
                }
            }
        });
        fused.forEach((common, names) -> fused(common, names, parameters, gradientFactor));
    }

    private void fused(double rate, List<String> names, Map<String, Tensor> parameters, double factor) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            FusedUpdate.sgd(
                    new FusedUpdate.Update(
                            names.stream().map(parameters::get).map(memory::own).toList(),
                            names.stream()
                                    .map(name -> memory.own(parameters.get(name).grad()))
                                    .toList(),
                            factor),
                    momentum == 0 ? List.of() : names.stream().map(momenta::own).toList(),
                    momentum,
                    rate,
                    weightDecay);
            names.forEach(name -> parameters.get(name).mutable_grad().reset());
        }
    }

    private Tensor direction(String name, Tensor parameter, double factor) {
        Tensor gradient = memory.own(parameter.grad());
        Tensor direction = momentum == 0
                ? gradient.mul_(new Scalar(factor))
                : momenta.own(name).mul_(new Scalar(momentum)).add_(gradient, new Scalar(factor));
        return weightDecay == 0 ? direction : direction.add_(memory.own(parameter), new Scalar(weightDecay));
    }

    @Override
    public Map<String, Tensor> state() {
        return momenta.all();
    }

    @Override
    public void restore(Map<String, Tensor> state) {
        momenta.restore(state);
    }

    @Override
    public void close() {
        momenta.close();
    }
}
