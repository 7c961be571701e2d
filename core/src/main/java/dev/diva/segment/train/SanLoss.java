package dev.diva.segment.train;

import dev.diva.engine.Kernels;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.segment.San;
import java.nio.FloatBuffer;
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
     * Random points for a depth.
     *
     * @param ofPairs at which costs are taken, [1, points, 2] for each row
     * @param ofMasks for the masks of all pairs together, or null when there is none
     */
    record Points(List<Tensor> ofPairs, PointReading.Choice ofMasks) {}

    /**
     * Judges each depth. What the pairs are is asked of the device once for all of them: the one place where it is waited for.
     *
     * @param outputs of the depths
     * @param targets of each row
     * @param masks what sums over masks are divided by, at least 1
     * @param draws asked for the points of a depth after those of the one before, see {@link #draw}
     */
    List<Parts> of(List<San.Output> outputs, List<Target> targets, double masks, PointReading.Draws draws) {
        long queries = outputs.get(0).masks().size(1);
        List<Points> at = new ArrayList<>();
        for (int depth = 0; depth < outputs.size(); depth++) {
            at.add(draw(targets, queries, draws));
        }
        List<San.Output> wide = outputs.stream().map(SanLoss::wide).toList();
        List<List<List<Assignment.Pair>>> pairs = pairs(wide, targets, at);
        if (pairs.isEmpty()) {
            return wide.stream().map(SanLoss::noNumbers).toList();
        }
        List<Parts> parts = new ArrayList<>();
        for (int depth = 0; depth < outputs.size(); depth++) {
            parts.add(of(wide.get(depth), targets, masks, pairs.get(depth), at.get(depth)));
        }
        return parts;
    }

    /** What training stops at. */
    private static Parts noNumbers(San.Output output) {
        Tensor nan = output.masks().sum().mul(new Scalar(Double.NaN));
        return new Parts(nan, nan, nan);
    }

    private static San.Output wide(San.Output output) {
        return new San.Output(
                output.masks().to(ScalarType.Float),
                output.bias(),
                output.embeddings(),
                output.classes().to(ScalarType.Float));
    }

    /** Points of a depth: those of the pairs of each row, then those of the masks, whose number is known before the pairs are. */
    Points draw(List<Target> targets, long queries, PointReading.Draws draws) {
        List<Tensor> ofPairs = new ArrayList<>();
        long all = 0;
        for (Target target : targets) {
            ofPairs.add(draws.uniform(1, points));
            all += Math.min(queries, target.count());
        }
        return new Points(ofPairs, all == 0 ? null : PointReading.Choice.draw(all, points, draws));
    }

    private Parts of(
            San.Output output, List<Target> targets, double masks, List<List<Assignment.Pair>> pairs, Points at) {
        Tensor maps = output.masks();
        Tensor classes = classLoss(output.classes(), targets, pairs).mul(new Scalar(CLASS));
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
        return maskLosses(classes, torch.cat(predicted, 0), torch.cat(wanted, 0), masks, at.ofMasks);
    }

    private Parts maskLosses(
            Tensor classes, Tensor predicted, Tensor wanted, double masks, PointReading.Choice choice) {
        Tensor at = withoutGradient(() -> PointReading.uncertain(predicted, choice));
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

    /** The pairs of each row of each depth, no gradient; the costs of all are read at once. Empty where one of them is no finite number. */
    List<List<List<Assignment.Pair>>> pairs(List<San.Output> outputs, List<Target> targets, List<Points> at) {
        int queries = Math.toIntExact(outputs.get(0).masks().size(1));
        float[] all = costs(outputs, targets, at);
        for (float cost : all) {
            if (!Float.isFinite(cost)) {
                return List.of();
            }
        }
        FloatBuffer costs = FloatBuffer.wrap(all);
        return outputs.stream()
                .map(output -> targets.stream()
                        .map(target -> pairs(costs, queries, target.count()))
                        .toList())
                .toList();
    }

    private static List<Assignment.Pair> pairs(FloatBuffer costs, int queries, int targets) {
        if (targets == 0) {
            return List.of();
        }
        float[][] rows = new float[queries][targets];
        for (float[] row : rows) {
            costs.get(row);
        }
        return Assignment.of(rows);
    }

    private float[] costs(List<San.Output> outputs, List<Target> targets, List<Points> at) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            TensorVector all = new TensorVector();
            for (int depth = 0; depth < outputs.size(); depth++) {
                San.Output output = outputs.get(depth);
                for (int row = 0; row < targets.size(); row++) {
                    Target target = targets.get(row);
                    Tensor logits = output.classes().select(0, row);
                    Tensor maps = output.masks().select(0, row);
                    Tensor points = at.get(depth).ofPairs.get(row);
                    if (target.count() > 0) {
                        all.push_back(Scopes.returning(() -> costs(logits, maps, target, points))
                                .flatten());
                    }
                }
            }
            return all.empty() ? new float[0] : Tensors.toFloats(torch.cat(all, 0));
        }
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
}
