package dev.diva.feedback;

import dev.diva.diffusion.FlowSchedule;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * The levels that a teacher's schedule has at timesteps, as diffusers trains its rectified flows.
 *
 * @param schedule from timesteps to levels
 * @param timesteps which are drawn
 */
public record ScheduledLevels(FlowSchedule schedule, TimestepSampler timesteps) implements FlowLevels {
    @Override
    public Tensor sample(BatchDraws draws) {
        long[] steps = Tensors.toLongs(timesteps.sample(draws));
        float[] levels = new float[steps.length];
        for (int i = 0; i < steps.length; i++) {
            levels[i] = schedule.level(Math.toIntExact(steps[i]));
        }
        return Tensors.of(levels, levels.length);
    }
}
