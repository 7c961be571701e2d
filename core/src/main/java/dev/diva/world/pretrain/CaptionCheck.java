package dev.diva.world.pretrain;

import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.RandomStreams;
import dev.diva.feedback.TeacherCheck;
import dev.diva.world.WorldRecipe;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Pattern;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.ScenePair;
import dev.diva.world.scene.ScenePairs;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** What the small teacher knows of detail: {@link TeacherCheck} on both images of validation pairs, whose full captions differ in one attribute. */
final class CaptionCheck {
    private static final long[] TIMESTEPS = {50, 200, 400, 541, 606, 700, 822, 950};
    private static final int PAIRS = 20; // of each pattern; fewer where a teacher learns from fewer scenes than that
    private static final int AT_ONCE = 90;

    private final WorldRecipe world;
    private final SceneLatents latents;
    private final CaptionStates captions;

    CaptionCheck(WorldRecipe world, SceneLatents latents, CaptionStates captions) {
        this.world = world;
        this.latents = latents;
        this.captions = captions;
    }

    /** @param seed of the noise */
    List<TeacherCheck.Level> of(Denoiser denoiser, NoiseSchedule schedule, long seed) {
        List<ScenePair> pairs = new ScenePairs(new SceneSampler(world.seed(), Split.VALIDATION))
                .pairs(Math.min(PAIRS, Math.max(1, world.pretrain() / Pattern.values().length)));
        List<Scene> shown = new ArrayList<>();
        List<Scene> others = new ArrayList<>();
        pairs.forEach(pair -> {
            shown.addAll(List.of(pair.first(), pair.second()));
            others.addAll(List.of(pair.second(), pair.first()));
        });
        RandomStreams streams = new RandomStreams(seed);
        TeacherCheck.Sums sums = new TeacherCheck(denoiser, schedule).at(TIMESTEPS);
        for (int from = 0; from < shown.size(); from += AT_ONCE) {
            int to = Math.min(shown.size(), from + AT_ONCE);
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                sums.add(batch(shown.subList(from, to), others.subList(from, to), streams));
            }
        }
        return sums.levels();
    }

    private TeacherCheck.Batch batch(List<Scene> shown, List<Scene> others, RandomStreams streams) {
        SceneRenderer renderer = new SceneRenderer(world.side());
        Tensor clean = latents.encoded(shown.stream().map(renderer::rgb).toList());
        Tensor noise = RandomStreams.randn(streams.stream("check"), clean.shape());
        return new TeacherCheck.Batch(
                clean,
                noise,
                captions.of(shown.stream().map(Captions::full).toList()),
                captions.of(shown.stream().map(Captions::gist).toList()),
                captions.of(others.stream().map(Captions::full).toList()));
    }
}
