package dev.diva.train;

import dev.diva.engine.RandomStreams;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Everything that a run continues from. The position in the data follows from the step.
 *
 * @param step steps done
 * @param parameters fp32 masters by name
 * @param optimizer with its buffers
 * @param streams random generators
 */
public record TrainState(long step, Map<String, Tensor> parameters, Optimizer optimizer, RandomStreams streams) {
    /** The same objects, so many steps later. */
    public TrainState at(long laterStep) {
        return new TrainState(laterStep, parameters, optimizer, streams);
    }
}
