package dev.diva.feedback.anchor;

import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * How well captions are met that the fit has not seen.
 *
 * @param captions how many: at most 1,000
 * @param cosine mean cosine of what the fit says and what the teacher's text encoder says
 * @param meanRank mean rank of the right caption among all of them by that cosine, 1 the best
 * @param medianRank the median of it
 * @param first share of captions that are ranked first
 */
public record HeldOut(int captions, double cosine, double meanRank, double medianRank, double first) {
    private static final int AT_ONCE = 64;

    /** The cosine of every caption with every other is taken in blocks. */
    static HeldOut of(AnchorFit fit, Captioner captioner, List<String> captions) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            TensorVector wanted = new TensorVector();
            for (int from = 0; from < captions.size(); from += AT_ONCE) {
                wanted.push_back(unit(captioner.conditions(part(captions, from))));
            }
            Tensor all = torch.cat(wanted);
            List<Double> cosines = new ArrayList<>();
            List<Double> ranks = new ArrayList<>();
            for (int from = 0; from < captions.size(); from += AT_ONCE) {
                Tensor said = unit(fit.predict(captioner.embeddings(part(captions, from))));
                rank(said.matmul(all.t()), from, cosines, ranks);
            }
            double[] sorted =
                    ranks.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            int middle = sorted.length / 2;
            return new HeldOut(
                    captions.size(),
                    cosines.stream().mapToDouble(Double::doubleValue).average().orElseThrow(),
                    Arrays.stream(sorted).average().orElseThrow(),
                    sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
                    ranks.stream().filter(rank -> rank == 1).count() / (double) ranks.size());
        }
    }

    private static List<String> part(List<String> captions, int from) {
        return captions.subList(from, Math.min(captions.size(), from + AT_ONCE));
    }

    private static void rank(Tensor cosines, int from, List<Double> own, List<Double> ranks) {
        int columns = Math.toIntExact(cosines.size(1));
        float[] values = Tensors.toFloats(cosines);
        for (int row = 0; row < values.length / columns; row++) {
            float right = values[row * columns + from + row];
            int better = 0;
            for (int column = 0; column < columns; column++) {
                better += values[row * columns + column] > right ? 1 : 0;
            }
            own.add((double) right);
            ranks.add(1.0 + better);
        }
    }

    private static Tensor unit(Tensor conditions) {
        Tensor x = conditions.flatten(1, -1);
        return x.div(x.square()
                .sum(new long[] {-1}, true, new ScalarTypeOptional())
                .sqrt()
                .clamp_min(new Scalar(Float.MIN_NORMAL)));
    }
}
