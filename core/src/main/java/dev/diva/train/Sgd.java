package dev.diva.train;

import dev.diva.engine.SharedMemory;
import java.util.Map;
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

    public Sgd(double momentum, double weightDecay) {
        this(momentum, weightDecay, SharedMemory.none());
    }

    /** @param memory for one momentum of every parameter */
    public Sgd(double momentum, double weightDecay, SharedMemory memory) {
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
        parameters.forEach((name, parameter) -> {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                if (parameter.grad().defined()) {
                    memory.own(parameter)
                            .add_(direction(name, parameter, gradientFactor), new Scalar(-rate.applyAsDouble(name)));
                    parameter.mutable_grad().reset();
                }
            }
        });
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
