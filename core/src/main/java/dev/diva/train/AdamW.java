package dev.diva.train;

import dev.diva.engine.Tensors;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Adam with decoupled weight decay as torch.optim.AdamW computes it. */
public final class AdamW implements Optimizer {
    private final double beta1;
    private final double beta2;
    private final double eps;
    private final double weightDecay;
    private final Buffers moments = new Buffers();

    public AdamW(double beta1, double beta2, double eps, double weightDecay) {
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.eps = eps;
        this.weightDecay = weightDecay;
    }

    @Override
    public void update(Map<String, Tensor> parameters, ToDoubleFunction<String> rate, double gradientFactor) {
        parameters.forEach((name, parameter) -> {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                Tensor gradient = parameter.grad();
                if (gradient.defined()) {
                    update(name, parameter, gradient.mul_(new Scalar(gradientFactor)), rate.applyAsDouble(name));
                }
            }
        });
    }

    private void update(String name, Tensor parameter, Tensor gradient, double rate) {
        long count = count(name + ".step");
        Tensor mean = moment(name + ".exp_avg", parameter);
        Tensor square = moment(name + ".exp_avg_sq", parameter);
        parameter.mul_(new Scalar(1 - rate * weightDecay));
        mean.lerp_(gradient, new Scalar(1 - beta1));
        square.mul_(new Scalar(beta2)).addcmul_(gradient, gradient, new Scalar(1 - beta2));
        double rootCorrection = Math.sqrt(1 - Math.pow(beta2, count));
        Tensor scale = square.sqrt().div_(new Scalar(rootCorrection)).add_(new Scalar(eps));
        parameter.addcdiv_(mean, scale, new Scalar(-rate / (1 - Math.pow(beta1, count))));
    }

    /** Updates of this parameter, this one included: parameters that join later have their own. */
    private long count(String name) {
        Tensor count = moments.has(name) ? moments.get(name) : moments.put(name, Tensors.of(new long[1], 1));
        return Tensors.toLongs(count.add_(new Scalar(1)))[0];
    }

    private Tensor moment(String name, Tensor parameter) {
        return moments.has(name) ? moments.get(name) : moments.put(name, torch.zeros_like(parameter));
    }

    @Override
    public Map<String, Tensor> state() {
        return moments.all();
    }

    @Override
    public void restore(Map<String, Tensor> state) {
        moments.restore(state);
    }

    @Override
    public void close() {
        moments.close();
    }
}
