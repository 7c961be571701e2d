package dev.diva.objective.dcr;

import dev.diva.BadInputException;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.feedback.ConditionLeaf;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.ImageCondition;
import dev.diva.feedback.NoiseProcess;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * DCR's objective: every noisy latent of a micro-batch is predicted under every condition of it, and the predictions are compared ({@link
 * ContrastiveLoss}). Memory is that of the graph of one chunk of predictions: first all but the last chunk are made without a graph, then the loss
 * gives each its gradient, then chunk after chunk is predicted again and carries its gradients to the conditions. Draws: of the condition, of the condition of the
 * second view, noise levels, noise.
 */
public final class DcrFeedback {
    /** As many times more latents go through the denoiser together where no graph remembers its activations: its weights are read less often. */
    private static final int WITHOUT_GRAPH = 4;

    private final ImageCondition condition;
    private final Denoiser denoiser;
    private final NoiseProcess process;
    private final ContrastiveLoss loss;
    private final EmbeddingGuard guard; // or null
    private final int latentsAtOnce;
    private Losses ownShare = Losses.of();

    /**
     * @param condition which learns
     * @param denoiser frozen
     * @param process DDPM noise; its schedule's prediction decides the target, which the authors' code takes as the velocity of whatever
     *     teacher, and the paper as what the teacher predicts
     * @param guard a penalty added to each batch, or null
     * @param latentsAtOnce predictions in one pass of the denoiser that has a graph, at least 1
     */
    public DcrFeedback(
            ImageCondition condition,
            Denoiser denoiser,
            NoiseProcess process,
            ContrastiveLoss loss,
            EmbeddingGuard guard,
            int latentsAtOnce) {
        if (latentsAtOnce < 1) {
            throw new IllegalArgumentException("latentsAtOnce < 1: " + latentsAtOnce);
        }
        this.condition = condition;
        this.denoiser = denoiser;
        this.process = process;
        this.loss = loss;
        this.guard = guard;
        this.latentsAtOnce = latentsAtOnce;
    }

    /**
     * Checks the size of a micro-batch.
     *
     * @throws BadInputException when it has no other image to tell an image from
     */
    public static void requireBatch(long images) {
        if (images < 2) {
            throw new BadInputException("DCR compares the images of a micro-batch with each other, and has a batch of "
                    + images + "; set train.batch to 2 or more (the authors: 16)");
        }
    }

    /**
     * Adds the gradient of a micro-batch, which is one process's as a whole, to everything that learns.
     *
     * @param pixels the tower's, [batch, 3, imageSize, imageSize]
     * @param secondView the same images, changed, as pixels
     * @param latents clean, fp32 [batch, channels, height, width]
     * @return the loss, then the penalty of the guard where there is one
     */
    public Losses backward(
            Tensor pixels, Tensor secondView, Tensor latents, BatchDraws draws, Contribution contribution) {
        requireBatch(latents.size(0));
        try (PointerScope scope = new PointerScope()) {
            ImageCondition.Encoded views = condition.encode(torch.cat(new TensorVector(pixels, secondView), 0), draws);
            NoiseProcess.Draw draw = process.draw(latents, draws);
            ConditionLeaf leaf = ConditionLeaf.of(views.condition());
            double weight = contribution.scale() / contribution.accumulation();
            Losses losses = judge(latents, draw, leaf.cut(), weight);
            Tensor last = leaf.link();
            if (guard != null) {
                Tensor penalty = guard.penalty(views.hidden(), pixels);
                losses = losses.and(Losses.of(penalty));
                last = last.add(penalty.mul(new Scalar(weight)));
            }
            contribution.beforeLastPass().run();
            last.backward();
            condition.done();
            return losses;
        }
    }

    /** What {@link #backward} gives behind the loss. */
    public List<String> penalties() {
        return guard == null ? List.of() : List.of("guard");
    }

    /** Draws what {@link #backward} would draw for a micro-batch that another process computes, and computes nothing. */
    public void skip(BatchDraws draws, long... latentShape) {
        try (PointerScope scope = new PointerScope()) {
            condition.skip(draws);
            condition.skip(draws);
            process.draw(torch.empty(0, latentShape[0], latentShape[1], latentShape[2]), draws);
        }
    }

    /**
     * Control: the share of images of the last micro-batch whose own condition gave the prediction nearest to the target; chance is 1 /
     * batch.
     */
    public Losses ownShare() {
        return ownShare;
    }

    /**
     * The loss, whose gradient, times the weight, is added at the conditions.
     *
     * @param views conditions of the images, then of their second views, leaves of a graph
     */
    Losses judge(Tensor latents, NoiseProcess.Draw draw, Condition views, double weight) {
        long batch = latents.size(0);
        Tensor noisy = process.noisy(latents, draw);
        Pairs pairs = new Pairs(noisy, draw.levels(), views);
        long last = (pairs.count() - 1) / latentsAtOnce * latentsAtOnce;
        TensorVector parts = new TensorVector();
        try (NoGradGuard noGrad = new NoGradGuard()) {
            long many = (long) WITHOUT_GRAPH * latentsAtOnce;
            for (long from = 0; from < last; from += many) {
                parts.push_back(pairs.predict(denoiser, from, Math.min(last, from + many)));
            }
        }
        Tensor ofLast = pairs.predict(denoiser, last, pairs.count());
        parts.push_back(ofLast.detach());
        Tensor predictions = torch.cat(parts).set_requires_grad(true); // [batch * batch + batch, ...]
        long[] shape = latents.shape();
        Tensor ofAll = predictions.narrow(0, 0, batch * batch).reshape(batch, batch, shape[1], shape[2], shape[3]);
        Tensor target = process.target(latents, draw);
        Tensor value = loss.of(ofAll, predictions.narrow(0, batch * batch, batch), target)
                .loss();
        value.mul(new Scalar(weight)).backward();
        ownShare.close();
        ownShare = Losses.of(ContrastiveLoss.ownShare(ofAll.detach(), target));
        Tensor gradients = predictions.grad();
        backward(ofLast, gradients.narrow(0, last, pairs.count() - last));
        for (long from = 0; from < last; from += latentsAtOnce) {
            try (PointerScope scope = new PointerScope()) {
                Tensor again = pairs.predict(denoiser, from, from + latentsAtOnce);
                backward(again, gradients.narrow(0, from, latentsAtOnce));
            }
        }
        return Losses.of(value);
    }

    private static void backward(Tensor predictions, Tensor gradient) {
        predictions.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
    }

    /** All predictions in a row: latent i under condition j at i * batch + j, then each under the condition of its second view. */
    private record Pairs(Tensor noisy, Tensor levels, Condition views) {
        long batch() {
            return noisy.size(0);
        }

        long count() {
            return batch() * batch() + batch();
        }

        Tensor predict(Denoiser denoiser, long from, long to) {
            return Scopes.returning(() -> predicted(denoiser, from, to));
        }

        private Tensor predicted(Denoiser denoiser, long from, long to) {
            int length = Math.toIntExact(to - from);
            long[] latent = new long[length];
            long[] condition = new long[length];
            for (int k = 0; k < length; k++) {
                long pair = from + k;
                boolean isPlus = pair >= batch() * batch();
                latent[k] = isPlus ? pair - batch() * batch() : pair / batch();
                condition[k] = isPlus ? batch() + latent[k] : pair % batch();
            }
            Tensor latents = Tensors.of(latent, length);
            return denoiser.predict(
                    Kernels.indexSelect(noisy, 0, latents),
                    Kernels.indexSelect(levels, 0, latents),
                    views.rows(Tensors.of(condition, length)));
        }
    }
}
