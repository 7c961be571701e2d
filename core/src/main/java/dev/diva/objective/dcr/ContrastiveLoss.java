package dev.diva.objective.dcr;

import dev.diva.BadInputException;
import dev.diva.engine.Kernels;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * InfoNCE between predictions of a frozen denoiser: the one under an image's own condition is drawn to the one under the condition of its
 * second view and to the target, away from those under the conditions of the other images. Both positives stand in the denominator of
 * both terms; nothing is detached.
 *
 * @param temperature that cosines are divided by; 0.1 in the paper
 */
public record ContrastiveLoss(double temperature) {
    public ContrastiveLoss {
        if (!(temperature > 0) || Double.isInfinite(temperature)) {
            throw new BadInputException("temperature is " + temperature + ", expected a number above 0");
        }
    }

    /**
     * The loss of a batch and what it is made of, all fp32.
     *
     * @param ofPlus term of the second view, [batch]
     * @param ofTarget term of the target, [batch]
     * @param loss scalar: the mean of both
     */
    public record Terms(Tensor ofPlus, Tensor ofTarget, Tensor loss) {}

    /**
     * Compares predictions.
     *
     * @param predictions of noisy latent i under condition j, [batch, batch, ...]
     * @param plus of noisy latent i under the condition of its second view, [batch, ...]
     * @param target what a perfect denoiser would predict, [batch, ...]
     */
    public Terms of(Tensor predictions, Tensor plus, Tensor target) {
        long batch = predictions.size(0);
        Tensor all = unit(predictions.flatten(2, -1)); // [batch, batch, numbers]
        Tensor anchors = all.diagonal(0, 0, 1).transpose(0, 1); // [batch, numbers]
        Tensor toPlus = cosine(anchors, unit(plus.flatten(1, -1)));
        Tensor toTarget = cosine(anchors, unit(target.flatten(1, -1)));
        Tensor own = Tensors.onto(torch.eye(batch, new TensorOptions(ScalarType.Bool)), all.device(), ScalarType.Bool);
        Tensor toOthers = cosine(anchors.unsqueeze(1), all).masked_fill(own, new Scalar(Double.NEGATIVE_INFINITY));
        Tensor denominator =
                Kernels.logSumExp(torch.cat(new TensorVector(toPlus.unsqueeze(1), toTarget.unsqueeze(1), toOthers), 1));
        Tensor ofPlus = denominator.sub(toPlus);
        Tensor ofTarget = denominator.sub(toTarget);
        return new Terms(
                ofPlus, ofTarget, ofPlus.add(ofTarget).mul(new Scalar(0.5)).mean());
    }

    /**
     * The share of images whose target is nearer, by cosine, to the prediction under their own condition than to any other; chance is 1 /
     * batch.
     */
    static Tensor ownShare(Tensor predictions, Tensor target) {
        Tensor cosines = unit(predictions.flatten(2, -1))
                .mul(unit(target.flatten(1, -1)).unsqueeze(1))
                .sum(-1);
        Tensor own = Tensors.onto(
                torch.arange(new Scalar((float) predictions.size(0)), new TensorOptions(ScalarType.Long)),
                cosines.device(),
                ScalarType.Long);
        return cosines.argmax(new org.bytedeco.pytorch.LongOptional(1), false)
                .eq(own)
                .to(ScalarType.Float)
                .mean();
    }

    private Tensor cosine(Tensor a, Tensor b) {
        return a.mul(b).sum(-1).div(new Scalar(temperature));
    }

    private static Tensor unit(Tensor x) {
        return Kernels.unit(x.to(ScalarType.Float));
    }
}
