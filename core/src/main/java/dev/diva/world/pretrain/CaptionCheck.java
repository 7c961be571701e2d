package dev.diva.world.pretrain;

import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Whether a denoiser uses what it is told: its loss with the right captions and with those of other scenes, same noise. */
public final class CaptionCheck {
    private static final int[] TIMESTEPS = {50, 200, 400, 600, 800, 950};
    private static final int SCENES = 128;

    private CaptionCheck() {}

    /** Losses at one noise level. */
    public record Level(int timestep, double right, double shuffled) {}

    static List<Level> of(CaptionDenoising objective, SceneLatents latents, long seed) {
        int count = Math.min(SCENES, latents.count());
        int[] scenes = IntStream.range(0, count).toArray();
        int[] others = Arrays.stream(scenes).map(i -> (i + 1) % count).toArray();
        List<Level> levels = new ArrayList<>();
        for (int timestep : TIMESTEPS) {
            levels.add(new Level(
                    timestep,
                    loss(objective, scenes, scenes, timestep, seed),
                    loss(objective, scenes, others, timestep, seed)));
        }
        return levels;
    }

    private static double loss(CaptionDenoising objective, int[] scenes, int[] described, int timestep, long seed) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long[] timesteps = new long[scenes.length];
            Arrays.fill(timesteps, timestep);
            Tensor steps = Tensors.of(timesteps, timesteps.length);
            BatchDraws draws = new BatchDraws(new RandomStreams(seed).stream("check"), BatchShard.whole(scenes.length));
            return objective.loss(scenes, described, steps, draws).item_float();
        }
    }
}
