package dev.diva.train;

import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Tensor;

/** Changes fp32 masters in place by their gradients; parameters without a gradient are left alone. */
public interface Optimizer extends AutoCloseable {
    /**
     * One update.
     *
     * @param rate learning rate of this step for each parameter by its name
     * @param gradientFactor what the gradients count; they may be changed
     */
    void update(Map<String, Tensor> parameters, ToDoubleFunction<String> rate, double gradientFactor);

    /** Everything that the next update depends on, by name; owned by the optimiser or by the caller's scope. */
    Map<String, Tensor> state();

    /** Continues from {@link #state}, copying the tensors. */
    void restore(Map<String, Tensor> state);

    @Override
    void close();
}
