package dev.diva.world.pretrain;

import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.RandomStreams;
import dev.diva.train.MicroBatch;
import dev.diva.train.Objective;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;

/** The denoiser's own training: mean squared error of its prediction at a random noise level, told the full caption. */
final class CaptionDenoising implements Objective {
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

    /** Draws timesteps, then noise. */
    @Override
    public double[] backward(MicroBatch batch, RandomStreams streams, int accumulation) {
        int[] indices = SceneBatches.indices(batch);
        Generator draws = streams.stream(STREAM);
        Tensor timesteps = RandomStreams.randint(draws, schedule.numTrainTimesteps(), indices.length);
        Tensor loss = loss(indices, indices, timesteps, draws);
        loss.backward();
        return new double[] {loss.item_float()};
    }

    /**
     * The loss of scenes that are described by captions of their own or others.
     *
     * @param scene index of each image
     * @param described index of the scene whose caption goes with it
     */
    Tensor loss(int[] scene, int[] described, Tensor timesteps, Generator draws) {
        Tensor clean = latents.of(scene);
        Tensor noise = RandomStreams.randn(draws, clean.shape());
        List<String> texts =
                Arrays.stream(described).mapToObj(scenes::fullCaption).toList();
        Tensor predicted = denoiser.predict(schedule.addNoise(clean, noise, timesteps), timesteps, captions.of(texts));
        return predicted.sub(schedule.target(clean, noise, timesteps)).square().mean();
    }
}
