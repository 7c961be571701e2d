package dev.diva.feedback;

import dev.diva.engine.BatchDraws;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Gradients for a vision tower, and for a denoiser that learns, from a diffusion model's denoising error. Random numbers come from the stream {@code draws}. With a shared
 * condition: the recap of the batch, then for each draw its timesteps and its noise. With a condition of its own for each draw: timesteps,
 * noise, recap, draw by draw.
 */
public final class DiffusionFeedback {
    /** Name of the stream of timesteps, noise and recaps. */
    public static final String STREAM = "draws";

    private final ImageCondition condition;
    private final DenoisingLoss loss;
    private final EmbeddingGuard guard; // or null
    private final Settings settings;

    /**
     * How a batch becomes a gradient.
     *
     * @param draws noise levels of a batch, at least 1
     * @param weights what each counts
     * @param towerPerDraw whether the tower runs again for every draw, as in the authors' code, or once for all
     * @param shuffled control: each image is judged by the latent of another image of the batch
     * @param latentsAtOnce draws that share a condition go through the denoiser together while they are no more noisy latents than this
     */
    public record Settings(int draws, DrawWeights weights, boolean towerPerDraw, boolean shuffled, long latentsAtOnce) {
        /** Draws one after the other. */
        public Settings(int draws, DrawWeights weights, boolean towerPerDraw, boolean shuffled) {
            this(draws, weights, towerPerDraw, shuffled, 1);
        }

        public Settings {
            if (draws < 1) {
                throw new IllegalArgumentException("draws < 1: " + draws);
            }
        }
    }

    /** @param guard a penalty added to each batch, or null */
    public DiffusionFeedback(ImageCondition condition, DenoisingLoss loss, EmbeddingGuard guard, Settings settings) {
        this.condition = condition;
        this.loss = loss;
        this.guard = guard;
        this.settings = settings;
    }

    /**
     * Adds the gradient of a batch to everything that learns.
     *
     * @param pixels the tower's, [batch, 3, imageSize, imageSize]
     * @param latents clean, fp32 [batch, channels, height, width]
     * @param accumulation batches that make a step
     * @return the loss of each draw, then the penalty of the guard where there is one
     */
    public Losses backward(Tensor pixels, Tensor latents, RandomStreams streams, int accumulation) {
        Contribution contribution = Contribution.of(latents.size(0), accumulation);
        BatchDraws draws = new BatchDraws(streams.stream(STREAM), contribution.shard());
        return backward(pixels, latents, draws, contribution);
    }

    /** What {@link #backward} gives behind the losses of the draws. */
    public List<String> penalties() {
        return guard == null ? List.of() : List.of("guard");
    }

    /**
     * The same for the rows of a batch that this process computes.
     *
     * @param draws from the stream {@link #STREAM}, for these rows
     * @return the loss of each draw, over these rows, then the penalty of the guard where there is one
     */
    public Losses backward(Tensor pixels, Tensor latents, BatchDraws draws, Contribution contribution) {
        Tensor judged = settings.shuffled ? ofTheOneBefore(latents) : latents;
        return settings.towerPerDraw
                ? conditionPerDraw(pixels, judged, draws, contribution)
                : sharedCondition(pixels, judged, draws, contribution);
    }

    /**
     * Draws what {@link #backward} would draw for a batch that another process computes, and computes nothing.
     *
     * @param draws for no rows of that batch
     * @param latentShape channels, height, width
     */
    public void skip(BatchDraws draws, long... latentShape) {
        try (PointerScope scope = new PointerScope()) {
            Tensor latents = torch.empty(0, latentShape[0], latentShape[1], latentShape[2]);
            if (!settings.towerPerDraw) {
                condition.skip(draws);
            }
            for (int draw = 0; draw < settings.draws; draw++) {
                loss.draw(latents, draws);
                if (settings.towerPerDraw) {
                    condition.skip(draws);
                }
            }
        }
    }

    private Losses conditionPerDraw(Tensor pixels, Tensor latents, BatchDraws draws, Contribution contribution) {
        List<Losses> losses = new ArrayList<>();
        for (int draw = 0; draw < settings.draws; draw++) {
            try (PointerScope scope = new PointerScope()) {
                NoiseProcess.Draw noise = loss.draw(latents, draws);
                ImageCondition.Encoded encoded = condition.encode(pixels, draws);
                Tensor value = loss.of(latents, noise, encoded.condition());
                losses.add(Losses.of(value));
                Tensor weighted = value.mul(new Scalar(weight(draw, contribution)));
                if (draw == settings.draws - 1) {
                    lastPass(weighted, encoded, pixels, contribution, losses);
                } else {
                    weighted.backward();
                }
            }
        }
        return losses.stream().reduce(Losses.of(), Losses::and);
    }

    /** Each image's latent is that of the image before it. */
    private static Tensor ofTheOneBefore(Tensor latents) {
        long last = latents.size(0) - 1;
        return torch.cat(new TensorVector(latents.narrow(0, last, 1), latents.narrow(0, 0, last)), 0);
    }

    /** The draws stop at the condition and add up there; from it one pass goes back through the tower. */
    private Losses sharedCondition(Tensor pixels, Tensor latents, BatchDraws draws, Contribution contribution) {
        List<Losses> losses = new ArrayList<>();
        ImageCondition.Encoded encoded = condition.encode(pixels, draws);
        ConditionLeaf leaf = ConditionLeaf.of(encoded.condition());
        int together = Math.toIntExact(Math.max(1, settings.latentsAtOnce / latents.size(0)));
        for (int from = 0; from < settings.draws; from += together) {
            try (PointerScope scope = new PointerScope()) {
                int to = Math.min(settings.draws, from + together);
                List<NoiseProcess.Draw> noises = new ArrayList<>();
                float[] weights = new float[to - from];
                for (int draw = from; draw < to; draw++) {
                    noises.add(loss.draw(latents, draws));
                    weights[draw - from] = (float) weight(draw, contribution);
                }
                Tensor values = loss.ofEach(latents, noises, leaf.cut());
                losses.add(Losses.of(values));
                if (loss.denoiserLearns() && to == settings.draws) {
                    contribution.beforeLastPass().run();
                }
                values.mul(Tensors.onto(Tensors.of(weights, weights.length), values.device(), torch.kFloat()))
                        .sum()
                        .backward();
            }
        }
        lastPass(leaf.link(), encoded, pixels, loss.denoiserLearns() ? contribution.begun() : contribution, losses);
        return losses.stream().reduce(Losses.of(), Losses::and);
    }

    private double weight(int draw, Contribution contribution) {
        return settings.weights.weight(draw, settings.draws, contribution.accumulation()) * contribution.scale();
    }

    /** Through the whole tower, for the last time in this batch; with the penalty of the batch. */
    private void lastPass(
            Tensor value,
            ImageCondition.Encoded encoded,
            Tensor pixels,
            Contribution contribution,
            List<Losses> losses) {
        Tensor all = value;
        if (guard != null) {
            Tensor penalty = guard.penalty(encoded.hidden(), pixels);
            losses.add(Losses.of(penalty));
            all = value.add(penalty.mul(new Scalar(contribution.factor())));
        }
        contribution.beforeLastPass().run();
        all.backward();
        condition.done();
    }
}
