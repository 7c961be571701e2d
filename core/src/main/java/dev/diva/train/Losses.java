package dev.diva.train;

import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Numbers of a micro-batch that are only looked at: losses, penalties, controls. They stay on the device until {@link #values} asks for them, so
 * that a GPU is not waited for within a step. What was never asked for is freed by {@link #close}.
 */
public final class Losses implements AutoCloseable {
    private final List<Tensor> computed = new ArrayList<>(); // fp32 [n], kept; none once they are read
    private double[] values; // null until they are read
    private final double[] known; // behind the computed ones

    private Losses(List<Tensor> computed, double... known) {
        computed.forEach(tensor ->
                this.computed.add(Scopes.keep(tensor.detach().flatten().to(ScalarType.Float))));
        this.known = known;
    }

    /** Numbers that tensors hold, in order, each converted to fp32. */
    public static Losses of(Tensor... computed) {
        return new Losses(List.of(computed));
    }

    /** With others, both taken over: what devices have of these and of those, then what was known of these and of those. */
    public Losses and(Losses others) {
        double[] all = Arrays.copyOf(known, known.length + others.known.length);
        System.arraycopy(others.known, 0, all, known.length, others.known.length);
        return joined(others, all);
    }

    private Losses joined(Losses others, double... known) {
        Losses all = new Losses(List.of(), known);
        all.computed.addAll(computed);
        all.computed.addAll(others.computed);
        computed.clear();
        others.computed.clear();
        return all;
    }

    /** With numbers that are known already behind these, which are taken over. */
    public Losses and(double... others) {
        return and(new Losses(List.of(), others));
    }

    /** The numbers; waits for the device when it is asked for the first time. */
    public double[] values() {
        if (values == null) {
            read(List.of(this));
        }
        return values.clone();
    }

    /** Asks for the numbers of all in one go. */
    static void read(Collection<Losses> all) {
        try (PointerScope scope = new PointerScope()) {
            TensorVector tensors = new TensorVector();
            all.forEach(losses -> losses.computed.forEach(tensors::push_back));
            float[] read = tensors.empty() ? new float[0] : Tensors.toFloats(torch.cat(tensors));
            int from = 0;
            for (Losses losses : all) {
                if (losses.values == null) {
                    from = losses.take(read, from);
                }
            }
        }
    }

    private int take(float[] read, int from) {
        int count = computed.stream().mapToInt(each -> (int) each.numel()).sum();
        values = Arrays.copyOf(new double[count], count + known.length);
        for (int i = 0; i < count; i++) {
            values[i] = read[from + i];
        }
        System.arraycopy(known, 0, values, count, known.length);
        close();
        return from + count;
    }

    @Override
    public void close() {
        computed.forEach(Scopes::release);
        computed.clear();
    }
}
