package dev.diva.train;

import java.util.Map;
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
    public void update(Map<String, Tensor> parameters, double rate) {
        parameters.forEach((name, parameter) -> {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                Tensor gradient = parameter.grad();
                if (gradient.defined()) {
                    parameter.add_(direction(name, parameter, gradient), new Scalar(-rate));
                }
            }
        });
    }

    private Tensor direction(String name, Tensor parameter, Tensor gradient) {
        Tensor decayed = weightDecay == 0 ? gradient : gradient.add(parameter, new Scalar(weightDecay));
        if (momentum == 0) {
            return decayed;
        }
        if (!momenta.has(name)) {
            return momenta.put(name, decayed);
        }
        return momenta.get(name).mul_(new Scalar(momentum)).add_(decayed);
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
