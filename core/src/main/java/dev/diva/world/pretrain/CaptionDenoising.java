package dev.diva.world.pretrain;

import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.train.Contribution;
import dev.diva.train.Objective;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** The denoiser's own training: mean squared error of its prediction at a random noise level, told the full caption. */
final class CaptionDenoising implements Objective<SceneBatch> {
    private static final String STREAM = "draws";

    private final Denoiser denoiser;
    private final NoiseSchedule schedule;
    private final SceneLatents latents;
    private final CaptionedScenes scenes;
    private final CaptionStates captions;

    CaptionDenoising(
            Denoiser denoiser,
            NoiseSchedule schedule,
            SceneLatents latents,
            CaptionedScenes scenes,
            CaptionStates captions) {
        this.denoiser = denoiser;
        this.schedule = schedule;
        this.latents = latents;
        this.scenes = scenes;
        this.captions = captions;
    }

    @Override
    public double[] backward(SceneBatch batch, RandomStreams streams, Contribution contribution) {
        BatchDraws draws = new BatchDraws(streams.stream(STREAM), contribution.shard());
        return new double[] {contribution.backward(loss(batch.indices(), draws))};
    }

    @Override
    public void skip(RandomStreams streams, BatchShard none) {
        try (PointerScope scope = new PointerScope()) {
            BatchDraws draws = new BatchDraws(streams.stream(STREAM), none);
            draws.randint(schedule.numTrainTimesteps());
            draws.randn(latents.shape());
        }
    }

    /** Draws timesteps, then noise. */
    private Tensor loss(int[] indices, BatchDraws draws) {
        Tensor timesteps = draws.randint(schedule.numTrainTimesteps());
        return loss(indices, indices, timesteps, draws);
    }

    /**
     * The loss of scenes that are described by captions of their own or others.
     *
     * @param scene index of each image
     * @param described index of the scene whose caption goes with it
     */
    Tensor loss(int[] scene, int[] described, Tensor timesteps, BatchDraws draws) {
        Tensor clean = latents.of(scene);
        Tensor noise = draws.randn(latents.shape());
        List<String> texts =
                Arrays.stream(described).mapToObj(scenes::fullCaption).toList();
        Tensor predicted = denoiser.predict(schedule.addNoise(clean, noise, timesteps), timesteps, captions.of(texts));
        return predicted.sub(schedule.target(clean, noise, timesteps)).square().mean();
    }
}
