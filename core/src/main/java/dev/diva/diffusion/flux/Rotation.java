package dev.diva.diffusion.flux;

import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Rotary embedding of positions (0, row, column): neighbouring numbers 2k, 2k + 1 of a head turn together. All condition tokens are at (0,
 * 0, 0), where the first patch is as well. Angles in fp64, applied in fp32.
 *
 * @param turns cosine and sine of each angle, [1, 1, tokens, headDim / 2, 2]
 */
record Rotation(Tensor turns) {
    /** @param texts condition tokens, which come before the patches */
    static Rotation of(FluxConfig config, long texts, long rows, long columns, Device device) {
        int tokens = Math.toIntExact(texts + rows * columns);
        int half = Math.toIntExact(config.headDim() / 2);
        float[] turns = new float[tokens * half * 2];
        for (int token = 0; token < tokens; token++) {
            long patch = Math.max(0, token - texts);
            long[] position = {0, patch / columns, patch % columns};
            int at = 2 * token * half;
            for (int axis = 0; axis < 3; axis++) {
                long width = config.axes().get(axis);
                for (long k = 0; k < width / 2; k++) {
                    double angle = position[axis] / Math.pow(config.theta(), 2.0 * k / width);
                    turns[at++] = (float) Math.cos(angle);
                    turns[at++] = (float) Math.sin(angle);
                }
            }
        }
        return new Rotation(Tensors.onto(Tensors.of(turns, 1, 1, tokens, half, 2), device, ScalarType.Float));
    }

    /** Turns [batch, heads, tokens, headDim]; the result has the type of x. */
    Tensor apply(Tensor x) {
        return Scopes.returning(() -> {
            Tensor pairs = x.to(ScalarType.Float).reshape(x.size(0), x.size(1), x.size(2), -1, 2);
            return torch.view_as_real(torch.view_as_complex(pairs).mul(torch.view_as_complex(turns)))
                    .flatten(-2, -1)
                    .to(x.scalar_type());
        });
    }
}
