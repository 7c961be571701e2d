package dev.diva.feedback.anchor;

import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.engine.Scopes;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The sums that a linear fit needs of any number of pairs, in fp64: their memory does not grow with the pairs, and they can be kept.
 */
final class AnchorSums implements AutoCloseable {
    private final Tensor count; // []
    private final Tensor x; // [in]
    private final Tensor xx; // [in, in]
    private final Tensor y; // [out]
    private final Tensor xy; // [in, out]
    private final Tensor lengths; // [tokens], of the condition tokens

    private AnchorSums(Map<String, Tensor> sums) {
        this.count = Scopes.keep(sums.get("count"));
        this.x = Scopes.keep(sums.get("x"));
        this.xx = Scopes.keep(sums.get("xx"));
        this.y = Scopes.keep(sums.get("y"));
        this.xy = Scopes.keep(sums.get("xy"));
        this.lengths = Scopes.keep(sums.get("lengths"));
    }

    /** Of nothing yet. */
    static AnchorSums empty(long in, long tokens, long width) {
        try (PointerScope scope = new PointerScope()) {
            long out = tokens * width;
            return new AnchorSums(Map.of(
                    "count", zeros(1),
                    "x", zeros(in),
                    "xx", zeros(in, in),
                    "y", zeros(out),
                    "xy", zeros(in, out),
                    "lengths", zeros(tokens)));
        }
    }

    private static Tensor zeros(long... shape) {
        return torch.zeros(shape, new TensorOptions(ScalarType.Double));
    }

    /** Those of a file of {@link #write}. */
    static AnchorSums read(SafetensorsFile file) {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> sums = new TreeMap<>();
            file.tensors()
                    .forEach(
                            info -> sums.put(info.name(), file.read(info.name()).clone()));
            return new AnchorSums(sums);
        }
    }

    void write(Path file, Map<String, String> metadata) {
        Map<String, Tensor> sums =
                new TreeMap<>(Map.of("count", count, "x", x, "xx", xx, "y", y, "xy", xy, "lengths", lengths));
        SafetensorsWriter.write(file, sums, metadata);
    }

    /**
     * Adds pairs.
     *
     * @param embeddings of unit length, [pairs, in]
     * @param conditions [pairs, tokens, width]
     */
    void add(Tensor embeddings, Tensor conditions) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor a = embeddings.to(ScalarType.Double);
            Tensor c = conditions.to(ScalarType.Double);
            Tensor b = c.flatten(1, -1);
            count.add_(torch.full(new long[] {1}, new org.bytedeco.pytorch.Scalar(a.size(0)), count.options()));
            x.add_(sum(a));
            xx.add_(a.t().matmul(a));
            y.add_(sum(b));
            xy.add_(a.t().matmul(b));
            lengths.add_(sum(c.square()
                    .sum(new long[] {2}, false, new ScalarTypeOptional())
                    .sqrt()));
        }
    }

    private static Tensor sum(Tensor rows) {
        return rows.sum(new long[] {0}, false, new ScalarTypeOptional());
    }

    long count() {
        return Math.round(count.item().toDouble());
    }

    Tensor x() {
        return x;
    }

    Tensor xx() {
        return xx;
    }

    Tensor y() {
        return y;
    }

    Tensor xy() {
        return xy;
    }

    Tensor lengths() {
        return lengths;
    }

    @Override
    public void close() {
        for (Tensor sum : new Tensor[] {count, x, xx, y, xy, lengths}) {
            Scopes.release(sum);
        }
    }
}
