package dev.diva.train;

import dev.diva.engine.RandomStreams;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * What a run trains, and how.
 *
 * @param parameters fp32 masters by name, in the order of the forward pass
 * @param settings of the loop
 * @param optimizer of all parameters
 * @param streams random generators, as they are before the first step
 * @param sharding what of each step this process computes
 * @param keepCheckpoints how many stay on disk
 */
public record RunPlan(
        Map<String, Tensor> parameters,
        TrainSettings settings,
        OptimizerSettings optimizer,
        RandomStreams streams,
        Sharding sharding,
        int keepCheckpoints) {}
