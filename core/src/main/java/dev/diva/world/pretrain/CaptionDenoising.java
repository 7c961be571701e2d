package dev.diva.world.pretrain;

import dev.diva.diffusion.Denoiser;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.feedback.DenoisingLoss;
import dev.diva.feedback.NoiseProcess;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import dev.diva.train.Objective;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The teacher's own training: mean squared error of its prediction at a random noise level, told a caption. Half of the captions are full, two
 * in five name each attribute with probability one half, one in ten is the gist alone, so that all of them mean something to the denoiser. Levels are
 * logit-normal and lean to high noise, where a caption is worth most. A little noise on what is told makes near conditions mean nearly the same.
 */
final class CaptionDenoising implements Objective<SceneBatch> {
    private static final String STREAM = "draws";
    private static final int CAPTIONS = 10; // of which five are full and one is the gist
    private static final int FULL = 5;
    private static final double MOST_NOISE = 0.2; // on the condition

    private final Denoiser denoiser;
    private final NoiseProcess process;
    private final SceneLatents latents;
    private final CaptionedScenes scenes;
    private final CaptionStates captions;

    CaptionDenoising(
            Denoiser denoiser,
            NoiseProcess process,
            SceneLatents latents,
            CaptionedScenes scenes,
            CaptionStates captions) {
        this.denoiser = denoiser;
        this.process = process;
        this.latents = latents;
        this.scenes = scenes;
        this.captions = captions;
    }

    @Override
    public Losses backward(SceneBatch batch, RandomStreams streams, Contribution contribution) {
        BatchDraws draws = new BatchDraws(streams.stream(STREAM), contribution.shard());
        Tensor clean = latents.of(batch.indices());
        Told told = told(draws);
        NoiseProcess.Draw draw = process.draw(clean, draws);
        Tensor states = captions.of(texts(batch.indices(), told.kinds)).add(told.noise);
        Tensor loss = new DenoisingLoss(denoiser, process).of(clean, draw, states);
        return contribution.backward(loss);
    }

    @Override
    public void skip(RandomStreams streams, BatchShard none) {
        try (PointerScope scope = new PointerScope()) {
            BatchDraws draws = new BatchDraws(streams.stream(STREAM), none);
            told(draws);
            long[] shape = latents.shape();
            process.draw(torch.empty(0, shape[0], shape[1], shape[2]), draws);
        }
    }

    /**
     * What is drawn of the captions.
     *
     * @param kinds int64 [batch]
     * @param noise on the condition, [batch, 1, width]
     */
    private record Told(Tensor kinds, Tensor noise) {}

    private Told told(BatchDraws draws) {
        Tensor kinds = draws.randint(CAPTIONS);
        Tensor strength = draws.randn(1, 1).sigmoid().mul(new Scalar(MOST_NOISE));
        return new Told(kinds, draws.randn(1, captions.width()).mul(strength));
    }

    private List<String> texts(int[] indices, Tensor kinds) {
        long[] drawn = Tensors.toLongs(kinds);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < indices.length; i++) {
            texts.add(
                    drawn[i] < FULL
                            ? scenes.fullCaption(indices[i])
                            : drawn[i] < CAPTIONS - 1
                                    ? scenes.halfCaption(indices[i])
                                    : scenes.gistCaption(indices[i]));
        }
        return texts;
    }
}
