package dev.diva.engine;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolVector;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Reducer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.SizeTStringMap;
import org.bytedeco.pytorch.SizeTVector;
import org.bytedeco.pytorch.SizeTVectorVector;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Mean of the gradients over the processes, exchanged by c10d's Reducer while the backward pass still runs.
 *
 * <pre>
 * micro-batch 1 ... n-1: backward, nothing is exchanged
 * micro-batch n:         beforeLastBackward(), backward, finish()
 * </pre>
 *
 * The first step shows which parameters get a gradient at all; it averages those after the backward pass, in the same buckets, and so
 * to the same bits, as the Reducer does from the second step on. A resumed run therefore equals an uninterrupted one.
 */
public final class GradientAverage implements AutoCloseable {
    /** The sizes of PyTorch's DistributedDataParallel: the first bucket is small so that the exchange starts early. */
    private static final long FIRST_BUCKET_BYTES = 1L << 20;

    private static final long BUCKET_BYTES = 25L << 20;

    private final Processes processes;
    private final List<Tensor> parameters;
    private Reducer reducer;

    /** @param parameters in the order of the forward pass; the backward pass reaches the last ones first */
    GradientAverage(Processes processes, List<Tensor> parameters) {
        this.processes = processes;
        this.parameters = List.copyOf(parameters);
    }

    /** To be called before the backward pass that completes the gradients of a step; it must reach every trained parameter. */
    public void beforeLastBackward() {
        if (reducer != null) {
            processes.guarded(() -> {
                try (PointerScope scope = new PointerScope()) {
                    reducer.prepare_for_forward();
                    reducer.prepare_for_backward(new TensorVector());
                }
            });
        }
    }

    /**
     * To be called after that backward pass; then every gradient is the mean over the processes.
     *
     * @throws ProcessesException naming the process that was lost
     */
    public void finish() {
        if (processes.world() == 1) {
            return;
        }
        if (reducer != null) {
            processes.guarded(reducer::check_finalized);
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> trained = parameters.stream()
                    .filter(parameter -> parameter.grad().defined())
                    .toList();
            List<List<Integer>> buckets = buckets(trained);
            buckets.forEach(bucket ->
                    average(bucket.stream().map(i -> trained.get(i).grad()).toList()));
            reducer = reducer(trained, buckets);
        }
    }

    /**
     * What went wrong in a backward pass: where it was the exchange, the process that broke it; otherwise the failure itself.
     *
     * @param failure thrown by the backward pass after {@link #beforeLastBackward}
     */
    public RuntimeException explained(RuntimeException failure) {
        if (reducer == null || failure.getClass() != RuntimeException.class) {
            return failure; // a native failure is of exactly that class
        }
        return processes
                .explained(failure)
                .<RuntimeException>map(broken -> broken)
                .orElse(failure);
    }

    /** Indices of the parameters in the order in which gradients arrive, cut by size. */
    private static List<List<Integer>> buckets(List<Tensor> parameters) {
        List<List<Integer>> buckets = new ArrayList<>();
        List<Integer> open = new ArrayList<>();
        long bytes = 0;
        for (int i = parameters.size() - 1; i >= 0; i--) {
            open.add(i);
            bytes += parameters.get(i).nbytes();
            if (bytes >= (buckets.isEmpty() ? FIRST_BUCKET_BYTES : BUCKET_BYTES)) {
                buckets.add(open);
                open = new ArrayList<>();
                bytes = 0;
            }
        }
        if (!open.isEmpty()) {
            buckets.add(open);
        }
        return buckets;
    }

    /** As the Reducer does: share of each process, side by side, one sum. */
    private void average(List<Tensor> gradients) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            TensorVector shares = new TensorVector();
            gradients.forEach(gradient -> shares.push_back(
                    gradient.div(new Scalar((double) processes.world())).flatten()));
            Tensor bucket = torch.cat(shares, 0);
            processes.sum(bucket);
            long from = 0;
            for (Tensor gradient : gradients) {
                gradient.copy_(bucket.narrow(0, from, gradient.numel()).view_as(gradient));
                from += gradient.numel();
            }
        }
    }

    private Reducer reducer(List<Tensor> trained, List<List<Integer>> buckets) {
        SizeTVectorVector indices = new SizeTVectorVector();
        buckets.forEach(bucket -> indices.push_back(
                new SizeTVector(bucket.stream().mapToLong(Integer::longValue).toArray())));
        boolean[] sparse = new boolean[trained.size()];
        Reducer made = new Reducer(
                new TensorVector(trained.toArray(new Tensor[0])),
                indices,
                processes.group(),
                new BoolVector(sparse),
                BUCKET_BYTES,
                false, // every parameter gets a gradient in every step
                true, // gradients are views of the buckets: no second copy
                new SizeTStringMap(),
                FIRST_BUCKET_BYTES,
                false,
                false);
        made.retainReference();
        return made;
    }

    @Override
    public void close() {
        if (reducer != null) {
            reducer.remove_autograd_hooks();
            reducer.releaseReference();
            reducer = null;
        }
    }
}
