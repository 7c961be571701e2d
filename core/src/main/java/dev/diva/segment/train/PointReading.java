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
     * Points where a loss learns most: three quarters of them the least certain of three times as many, the rest anywhere.
     *
     * @param logits of the masks, [maps, height, width]
     * @return [maps, points, 2]
     */
    static Tensor uncertain(Tensor logits, long points, Draws draws) {
        Tensor candidates =
                Tensors.onto(draws.uniform(logits.size(0), CANDIDATES * points), logits.device(), logits.scalar_type());
        long chosen = (long) (UNCERTAIN * points);
        Tensor values = at(logits, candidates);
        Tensor best = values.minimum(values.neg()).topk(chosen, 1, true, true).get1(); // -|x|
        Tensor least = candidates.gather(1, best.unsqueeze(-1).expand(-1, -1, 2));
        Tensor rest =
                Tensors.onto(draws.uniform(logits.size(0), points - chosen), logits.device(), logits.scalar_type());
        return torch.cat(new TensorVector(least, rest), 1);
    }
}
