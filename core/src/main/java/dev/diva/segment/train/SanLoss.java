package dev.diva.segment.train;

import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.segment.San;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How wrong a depth of SAN is about a batch: each target is given to the query that fits it best, all others are to be background; the
 * masks of the pairs are judged at points.
 *
 * @param points of a mask, 12,544 in the published recipe
 */
record SanLoss(int points) {
    /** What each loss counts, in the choice of the pairs too. */
    private static final double CLASS = 2;

    private static final double MASK = 5;
    private static final double DICE = 5;
    /** What the class loss of a query without a target counts. */
    private static final double BACKGROUND = 0.1;

    /**
     * The three losses with what they count, one number each.
     *
     * @param classes cross-entropy over classes and background, the weighted mean over all queries
     * @param mask binary cross-entropy
     * @param dice 1 - overlap of mask and target
     */
    record Parts(Tensor classes, Tensor mask, Tensor dice) {
        Tensor sum() {
            return classes.add(mask).add(dice);
        }
    }

    /**
     * Judges.
     *
     * @param targets of each row
     * @param masks what sums over masks are divided by, at least 1
     * @param draws asked for the points of the pairs of each row, then for those of the masks
     */
    Parts of(San.Output output, List<Target> targets, double masks, PointReading.Draws draws) {
        Tensor logits = output.classes().to(ScalarType.Float);
        Tensor maps = output.masks().to(ScalarType.Float);
        List<List<Assignment.Pair>> pairs = pairs(logits, maps, targets, draws);
        Tensor classes = classLoss(logits, targets, pairs).mul(new Scalar(CLASS));
        TensorVector predicted = new TensorVector();
        TensorVector wanted = new TensorVector();
        for (int row = 0; row < targets.size(); row++) {
            if (!pairs.get(row).isEmpty()) {
                predicted.push_back(Kernels.indexSelect(maps.select(0, row), 0, queries(pairs.get(row))));
                wanted.push_back(on(maps, targets.get(row).masks().index_select(0, targetsOf(pairs.get(row)))));
            }
        }
        if (predicted.empty()) {
            Tensor none = maps.sum().mul(new Scalar(0)); // every parameter keeps a gradient
            return new Parts(classes, none, none);
        }
        return maskLosses(classes, torch.cat(predicted, 0), torch.cat(wanted, 0), masks, draws);
    }

    private Parts maskLosses(Tensor classes, Tensor predicted, Tensor wanted, double masks, PointReading.Draws draws) {
        Tensor at = withoutGradient(() -> PointReading.uncertain(predicted, points, draws));
        Tensor x = PointReading.at(predicted, at);
        Tensor t = PointReading.at(wanted, at);
        Tensor entropy = torch.softplus(x).sub(x.mul(t)).mean(new long[] {1}, false, null);
        return new Parts(
                classes,
                entropy.sum().mul(new Scalar(MASK / masks)),
                diceRows(x.sigmoid(), t).sum().mul(new Scalar(DICE / masks)));
    }

    /** 1 - (2 |s t| + 1) / (|s| + |t| + 1) of each row. */
    private static Tensor diceRows(Tensor s, Tensor t) {
        long[] last = {1};
        Tensor overlap = s.mul(t).sum(last, false, null).mul(new Scalar(2)).add(new Scalar(1));
        Tensor whole = s.sum(last, false, null).add(t.sum(last, false, null)).add(new Scalar(1));
        return overlap.div(whole).neg().add(new Scalar(1));
    }

    /** The pairs of each row, no gradient. */
    List<List<Assignment.Pair>> pairs(Tensor logits, Tensor maps, List<Target> targets, PointReading.Draws draws) {
        List<List<Assignment.Pair>> all = new ArrayList<>();
        for (int row = 0; row < targets.size(); row++) {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                Tensor at = draws.uniform(1, points);
                Target target = targets.get(row);
                all.add(
                        target.count() == 0
                                ? List.of()
                                : Assignment.of(rows(costs(logits.select(0, row), maps.select(0, row), target, at))));
            }
        }
        return all;
    }

    /** [queries, targets]. */
    private Tensor costs(Tensor logits, Tensor maps, Target target, Tensor at) {
        Tensor x = PointReading.at(maps, at);
        Tensor t = PointReading.at(on(maps, target.masks()), at);
        Tensor notT = t.neg().add(new Scalar(1));
        Tensor entropy = torch.softplus(x.neg())
                .matmul(t.t())
                .add(torch.softplus(x).matmul(notT.t()))
                .div(new Scalar(points));
        Tensor s = x.sigmoid();
        Tensor overlap = s.matmul(t.t()).mul(new Scalar(2)).add(new Scalar(1));
        Tensor whole = s.sum(new long[] {1}, true, null)
                .add(t.sum(new long[] {1}, false, null))
                .add(new Scalar(1));
        Tensor dice = overlap.div(whole).neg().add(new Scalar(1));
        Tensor named = Kernels.indexSelect(torch.softmax(logits, -1), 1, Tensors.of(target.classes(), target.count()));
        return entropy.mul(new Scalar(MASK)).add(dice.mul(new Scalar(DICE))).sub(named.mul(new Scalar(CLASS)));
    }

    private static Tensor classLoss(Tensor logits, List<Target> targets, List<List<Assignment.Pair>> pairs) {
        int rows = Math.toIntExact(logits.size(0));
        int queries = Math.toIntExact(logits.size(1));
        long background = logits.size(2) - 1;
        long[] wanted = new long[rows * queries];
        float[] weights = new float[rows * queries];
        Arrays.fill(wanted, background);
        Arrays.fill(weights, (float) BACKGROUND);
        for (int row = 0; row < rows; row++) {
            for (Assignment.Pair pair : pairs.get(row)) {
                wanted[row * queries + pair.query()] = targets.get(row).classes()[pair.target()];
                weights[row * queries + pair.query()] = 1;
            }
        }
        Tensor chosen = torch.log_softmax(logits, -1)
                .gather(2, on(logits, Tensors.of(wanted, rows, queries, 1)))
                .squeeze(-1);
        Tensor weight = on(logits, Tensors.of(weights, rows, queries));
        return chosen.mul(weight).sum().neg().div(weight.sum());
    }

    private static Tensor queries(List<Assignment.Pair> pairs) {
        return Tensors.of(pairs.stream().mapToLong(Assignment.Pair::query).toArray(), pairs.size());
    }

    private static Tensor targetsOf(List<Assignment.Pair> pairs) {
        return Tensors.of(pairs.stream().mapToLong(Assignment.Pair::target).toArray(), pairs.size());
    }

    /** Where another tensor is. */
    private static Tensor on(Tensor other, Tensor tensor) {
        return Tensors.onto(tensor, other.device(), tensor.scalar_type());
    }

    private static Tensor withoutGradient(Supplier<Tensor> computation) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            return Scopes.returning(computation);
        }
    }

    private static float[][] rows(Tensor matrix) {
        int columns = Math.toIntExact(matrix.size(1));
        float[] all = Tensors.toFloats(matrix);
        float[][] rows = new float[all.length / columns][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(all, i * columns, (i + 1) * columns);
        }
        return rows;
    }
}
