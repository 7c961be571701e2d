package dev.diva.segment.train;

import dev.diva.engine.Kernels;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Maps at points, as PointRend reads them: bilinearly between the centres of pixels, zeros outside. */
final class PointReading {
    private static final int CANDIDATES = 3; // for each point
    private static final double UNCERTAIN = 0.75;

    private PointReading() {}

    /** Where points come from. */
    @FunctionalInterface
    interface Draws {
        /** Uniform in 0..1, [rows, points, 2] (x, y), fp32. */
        Tensor uniform(long rows, long points);
    }

    /**
     * Values of maps.
     *
     * @param maps [maps, height, width]
     * @param points [maps or 1, points, 2], x and y as shares of width and height
     * @return [maps, points]
     */
    static Tensor at(Tensor maps, Tensor points) {
        Tensor grid = Tensors.onto(points, maps.device(), maps.scalar_type())
                .mul(new Scalar(2))
                .sub(new Scalar(1))
                .expand(maps.size(0), -1, -1);
        return Kernels.gridSample(maps.unsqueeze(1), grid.unsqueeze(1)).flatten(1, 3);
    }

    /**
     * What {@link #uncertain} chooses from.
     *
     * @param candidates three times as many points as are wanted, [maps, 3 points, 2]
     * @param rest points that are taken as they are, [maps, a quarter of the points, 2]
     */
    record Choice(Tensor candidates, Tensor rest) {
        static Choice draw(long maps, long points, Draws draws) {
            return new Choice(
                    draws.uniform(maps, CANDIDATES * points),
                    draws.uniform(maps, points - (long) (UNCERTAIN * points)));
        }
    }

    /**
     * Points where a loss learns most: three quarters of them the least certain of three times as many, the rest anywhere.
     *
     * @param logits of the masks, [maps, height, width]
     * @return [maps, points, 2]
     */
    static Tensor uncertain(Tensor logits, Choice choice) {
        Tensor candidates = Tensors.onto(choice.candidates, logits.device(), logits.scalar_type());
        Tensor rest = Tensors.onto(choice.rest, logits.device(), logits.scalar_type());
        long chosen = candidates.size(1) / CANDIDATES - rest.size(1);
        Tensor values = at(logits, candidates);
        Tensor best = values.minimum(values.neg()).topk(chosen, 1, true, true).get1(); // -|x|
        Tensor least = candidates.gather(1, best.unsqueeze(-1).expand(-1, -1, 2));
        return torch.cat(new TensorVector(least, rest), 1);
    }
}
