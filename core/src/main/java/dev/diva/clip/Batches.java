package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Engine;
import dev.diva.engine.InterOp;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Runs a tower batch by batch, from plain numbers to plain numbers.
 *
 * @param weights blamed for results that are no numbers
 * @param size rows computed at once
 */
record Batches(Weights weights, int size) {
    /** That a thread computes at once, an image at least: enough for kernels that read each weight anew, few enough for its cache. */
    private static final int TOKENS = 600;

    private static final int INT8_TOKENS = 300;

    /** What a tower makes of the rows from one place up to another: [to - from, ...]. */
    interface Computation {
        Tensor compute(int from, int to);
    }

    /** A row of values for each of so many inputs. */
    float[][] run(int count, Computation computation) {
        float[][] rows = new float[count][];
        for (int from = 0; from < count; from += size) {
            int to = Math.min(count, from + size);
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                float[] values = BrokenWeights.requireNumbers(computation.compute(from, to), weights);
                int width = values.length / (to - from);
                for (int i = from; i < to; i++) {
                    rows[i] = Arrays.copyOfRange(values, (i - from) * width, (i - from + 1) * width);
                }
            }
        }
        return rows;
    }

    /**
     * What a tower makes of images, as {@link Preprocessing#pixels} gives them. Threads of a processor have some images each where there are
     * enough for all of them; pictures that keep their ratio are computed one by one.
     *
     * @param computation of pixels [images, 3, height, width], a row each
     */
    Tensor ofImages(VisionTower tower, List<float[]> pixels, UnaryOperator<Tensor> computation) {
        boolean isCuda = Engine.isCuda(weights.placement().device());
        int part = part(tower.config(), pixels.size(), isCuda ? Integer.MAX_VALUE : Engine.threads());
        int parts = (pixels.size() + part - 1) / part;
        IntFunction<Tensor> rowsOf = i -> computation.apply(PixelBatch.of(
                tower.config(), pixels.subList(i * part, Math.min(pixels.size(), (i + 1) * part))));
        List<Tensor> rows =
                isCuda ? IntStream.range(0, parts).mapToObj(rowsOf).toList() : InterOp.compute(parts, rowsOf);
        return rows.size() == 1 ? rows.get(0) : torch.cat(new TensorVector(rows.toArray(Tensor[]::new)), 0);
    }

    private int part(VisionConfig vision, int images, int threads) {
        if (vision.form().flexible()) {
            return 1;
        }
        long tokens = weights.placement().precision() == Precision.INT8 ? INT8_TOKENS : TOKENS;
        int part = Math.max(1, Math.toIntExact(tokens / vision.numTokens()));
        return images / part < threads ? images : part;
    }

    /** Refuses a tower whose images have tokens of different numbers. */
    void requireEqualLengths(VisionConfig vision) {
        if (vision.form().flexible()) {
            throw new BadInputException(weights.location()
                    + ": is a SigLIP 2 NaFlex, whose pictures have as many tokens as their ratio gives them: its embeddings can"
                    + " be asked for, its tokens cannot");
        }
    }

    /** Texts of equally many ids: [texts, ids]. */
    static Tensor texts(List<long[]> ids) {
        int length = ids.get(0).length;
        long[] values = new long[ids.size() * length];
        for (int i = 0; i < ids.size(); i++) {
            System.arraycopy(ids.get(i), 0, values, i * length, length);
        }
        return Tensors.of(values, ids.size(), length);
    }
}
