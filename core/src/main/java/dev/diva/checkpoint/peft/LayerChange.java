package dev.diva.checkpoint.peft;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ComposedSource;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;

/**
 * The low-rank change of one layer, linear, convolution or embedding.
 *
 * @param layer its name in the adapter, without prefix
 * @param parts its stored tensors: {@code A} and {@code B}, or {@code embedding_A} and {@code embedding_B}; {@code magnitude_vector} of a
 *     DoRA; {@code B.bias}
 */
record LayerChange(PeftConfig config, TensorSource file, String layer, Map<String, TensorInfo> parts) {
    private static final String MAGNITUDE = "magnitude_vector";
    private static final String BIAS = "B.bias";

    LayerChange {
        boolean isEmbedding = parts.keySet().stream().anyMatch(part -> part.startsWith("embedding"));
        Set<String> expected = new TreeSet<>(isEmbedding ? List.of("embedding_A", "embedding_B") : List.of("A", "B"));
        if (config.isDora()) {
            expected.add(MAGNITUDE);
        }
        if (!isEmbedding && parts.containsKey(BIAS)) {
            expected.add(BIAS);
        }
        if (!parts.keySet().equals(expected) || (isEmbedding && config.isDora())) {
            throw new BadInputException(file.location() + ": the change of " + layer + " has lora_"
                    + String.join(", lora_", new TreeSet<>(parts.keySet())) + ", expected lora_"
                    + String.join(", lora_", expected)
                    + (isEmbedding && config.isDora() ? "; DoRA of an embedding is not read" : ""));
        }
        long rank = factor(parts, "A").shape()[0];
        if (config.rank(layer) != rank) {
            throw config.wrongRank(layer, rank);
        }
    }

    private static TensorInfo factor(Map<String, TensorInfo> parts, String side) {
        TensorInfo info = parts.getOrDefault(side, parts.get("embedding_" + side));
        return info.shape().length < 2 ? new TensorInfo(info.name(), info.dtype(), 0, 0) : info;
    }

    void mergeInto(ComposedSource model, UnaryOperator<String> names) {
        String weight = names.apply(layer + ".weight");
        requireFit(model, weight, expectedShape(), factor(parts, "A"));
        model.change(weight, this::merged);
        if (parts.containsKey(BIAS)) {
            String bias = names.apply(layer + ".bias");
            requireFit(model, bias, parts.get(BIAS).shape(), parts.get(BIAS));
            Scalar scale = new Scalar(config.scale(layer));
            model.change(bias, base -> base.add(part(BIAS).mul(scale)));
        }
    }

    /** Of the matrix, kernel or table that it fits; empty where its own parts do not fit each other. */
    private long[] expectedShape() {
        long[] down = factor(parts, "A").shape();
        long[] up = factor(parts, "B").shape();
        TensorInfo magnitude = parts.get(MAGNITUDE);
        boolean fits = up[1] == down[0]
                && LongStream.of(up).skip(2).allMatch(size -> size == 1)
                && (magnitude == null || magnitude.numel() == up[0]);
        if (!fits) {
            return new long[0];
        }
        return isEmbedding()
                ? new long[] {down[1], up[0]}
                : LongStream.concat(LongStream.of(up[0]), LongStream.of(down).skip(1))
                        .toArray();
    }

    private boolean isEmbedding() {
        return parts.containsKey("embedding_A");
    }

    private void requireFit(ComposedSource model, String name, long[] shape, TensorInfo part) {
        TensorInfo target = model.info(name);
        if (target == null || !Arrays.equals(shape, target.shape())) {
            throw new BadInputException(file.location() + ": " + part.name() + " changes a tensor "
                    + Arrays.toString(shape) + ", " + model.location() + " has "
                    + (target == null ? "no " + name : target) + ": the adapter belongs to another base");
        }
    }

    /** W + scale B A; of a DoRA with rows of the lengths that it learned (arXiv 2402.09353). */
    private Tensor merged(Tensor base) {
        Tensor down = PeftAdapter.read(file, factor(parts, "A")).flatten(1, -1);
        Tensor up = PeftAdapter.read(file, factor(parts, "B")).flatten(1, -1);
        Tensor delta = up.matmul(down).mul(new Scalar(config.scale(layer)));
        Tensor sum = base.add((isEmbedding() ? delta.t() : delta).reshape(base.sizes()));
        if (!config.isDora()) {
            return sum;
        }
        Tensor rows = sum.flatten(1, -1);
        Tensor lengths = rows.norm(new ScalarOptional(new Scalar(2.0)), new long[] {1}, true);
        return rows.mul(part(MAGNITUDE).reshape(-1, 1).div(lengths)).reshape(base.sizes());
    }

    private Tensor part(String name) {
        return PeftAdapter.read(file, parts.get(name));
    }
}
