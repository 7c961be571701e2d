package dev.diva.train;

import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Stochastic gradient descent with momentum as torch.optim.SGD computes it: the first momentum buffer is the gradient itself. */
public final class Sgd implements Optimizer {
    private final double momentum;
    private final double weightDecay;
    private final Buffers momenta = new Buffers();

    public Sgd(double momentum, double weightDecay) {
        this.momentum = momentum;
        this.weightDecay = weightDecay;
    }

    @Override
    public void update(Map<String, Tensor> parameters, ToDoubleFunction<String> rate, double gradientFactor) {
        parameters.forEach((name, parameter) -> {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                Tensor gradient = parameter.grad();
                if (gradient.defined()) {
                    parameter.add_(
                            direction(name, parameter, gradient, gradientFactor),
                            new Scalar(-rate.applyAsDouble(name)));
                    parameter.mutable_grad().reset(); // at the first step its memory becomes that of the next momentum
                }
            }
        });
    }

    private Tensor direction(String name, Tensor parameter, Tensor gradient, double factor) {
        if (momentum == 0 || !momenta.has(name)) {
            Tensor scaled = decayed(gradient.mul_(new Scalar(factor)), parameter);
            return momentum == 0 ? scaled : momenta.put(name, scaled);
        }
        Tensor kept = momenta.get(name).mul_(new Scalar(momentum));
        return decayed(kept.add_(gradient, new Scalar(factor)), parameter);
    }

    private Tensor decayed(Tensor direction, Tensor parameter) {
        return weightDecay == 0 ? direction : direction.add_(parameter, new Scalar(weightDecay));
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
