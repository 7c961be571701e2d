package dev.diva.model;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Turns queries and keys by the place of their patch: neighbouring channels 2k, 2k + 1 of a head turn together. Tokens before the patches
 * stay as they are. Angles are computed in fp32 as timm does, and applied in fp32.
 *
 * @param cosines [tokens, headWidth], each twice
 * @param sines the same; those of the first of two channels are negated
 */
public record RotaryPositions(Tensor cosines, Tensor sines) {
    private static final double TEMPERATURE = 10000;

    /**
     * The table of a grid.
     *
     * @param leading tokens before the patches
     * @param headWidth channels of a head, a multiple of 4
     * @param weights of the model, which keep it
     */
    public static RotaryPositions of(RotaryGrid grid, int leading, int headWidth, Weights weights) {
        int side = Math.toIntExact(grid.side());
        int tokens = leading + side * side;
        float[] cosines = new float[tokens * headWidth];
        float[] sines = new float[tokens * headWidth];
        for (int token = 0; token < tokens; token++) {
            int patch = token - leading;
            float row = coordinate(patch / side, grid);
            float column = coordinate(patch % side, grid);
            for (int channel = 0; channel < headWidth; channel++) {
                boolean isFirstHalf = channel < headWidth / 2;
                float place = isFirstHalf == grid.columnsFirst() ? column : row;
                float angle = patch < 0 ? 0 : place * frequency(channel % (headWidth / 2) / 2, headWidth / 4);
                int at = token * headWidth + channel;
                cosines[at] = (float) Math.cos(angle);
                sines[at] = (float) (channel % 2 == 0 ? -Math.sin(angle) : Math.sin(angle));
            }
        }
        return new RotaryPositions(kept(cosines, tokens, headWidth, weights), kept(sines, tokens, headWidth, weights));
    }

    private static float coordinate(int index, RotaryGrid grid) {
        return (float) (index + grid.offset()) / grid.side() * (float) grid.reference();
    }

    private static float frequency(int band, int bands) {
        return 1 / (float) Math.pow(TEMPERATURE, (float) band / bands);
    }

    private static Tensor kept(float[] values, long tokens, long width, Weights weights) {
        return weights.keep(Scopes.returning(
                () -> Tensors.of(values, tokens, width).to(weights.placement().device(), ScalarType.Float)));
    }

    /** Turns the first tokens of the sequence, [batch, heads, tokens, headWidth]; the result has the type of x. */
    Tensor apply(Tensor x) {
        return Scopes.returning(() -> {
            long tokens = x.size(2);
            Tensor wide = x.to(ScalarType.Float);
            Tensor exchanged = wide.unflatten(3, -1, 2).flip(4).flatten(3, 4);
            return wide.mul(cosines.narrow(0, 0, tokens))
                    .add(exchanged.mul(sines.narrow(0, 0, tokens)))
                    .to(x.scalar_type());
        });
    }
}
