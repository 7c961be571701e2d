package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import java.util.List;
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

    /** The embeddings of images, as {@link Preprocessing#pixels} gives them; pictures that keep their ratio are computed one by one. */
    Tensor embeddings(VisionTower tower, List<float[]> pixels) {
        if (!tower.config().form().flexible()) {
            return tower.embeddingOf(PixelBatch.of(tower.config(), pixels));
        }
        TensorVector embeddings = new TensorVector();
        pixels.forEach(image -> embeddings.push_back(tower.embeddingOf(PixelBatch.of(tower.config(), List.of(image)))));
        return torch.cat(embeddings, 0);
    }

    /** Images of one size: [images, 3, side, side]. */
    Tensor images(VisionConfig vision, List<float[]> pixels) {
        if (vision.form().flexible()) {
            throw new BadInputException(weights.location()
                    + ": is a SigLIP 2 NaFlex, whose pictures have as many tokens as their ratio gives them: its embeddings can"
                    + " be asked for, its tokens cannot");
        }
        return PixelBatch.of(vision, pixels);
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
