package dev.diva.engine;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;

/**
 * Mean of the gradients over the processes, exchanged in buckets while the backward pass still runs.
 *
 * <pre>
 * micro-batch 1 ... n-1: backward, nothing is exchanged
 * micro-batch n:         beforeLastBackward(), backward, finish()
 * </pre>
 *
 * A bucket leaves when its last gradient is there. c10d's Reducer would keep all gradients in buckets of its own from one
 * step to the next; here they stay where they are, and nothing is left of them once they are cleared. The first step shows which parameters
 * get a gradient; its buckets leave after the pass. They and their sums are the same, so a resumed run equals an uninterrupted one to the
 * bit.
 */
public final class GradientAverage implements AutoCloseable {
    /** The sizes of PyTorch's DistributedDataParallel: the first bucket is small so that the exchange starts early. */
    private static final long FIRST_BUCKET_BYTES = 1L << 20;

    private static final long BUCKET_BYTES = 25L << 20;

    private final ProcessGroup processGroup;
    private final List<Tensor> parameters;
    private final List<Bucket> buckets = new ArrayList<>(); // none until a first step has been averaged
    private GradientArrivals arrivals;
    private boolean isLastBackward;
    private int sent; // buckets of this step

    /** @param parameters in the order of the forward pass; the backward pass reaches the last ones first */
    GradientAverage(ProcessGroup processGroup, List<Tensor> parameters) {
        this.processGroup = processGroup;
        this.parameters = List.copyOf(parameters);
    }

    /** To be called before the backward pass that completes the gradients of a step; it must reach every trained parameter. */
    public void beforeLastBackward() {
        if (arrivals != null) {
            arrivals.finish(); // of the pass before
        }
        isLastBackward = true;
        sent = 0;
        buckets.forEach(bucket -> bucket.awaited = bucket.members.size());
    }

    /**
     * To be called after that backward pass; then every gradient is the mean over the processes.
     *
     * @throws ProcessGroupException naming the process that was lost
     */
    public void finish() {
        if (processGroup.worldSize() == 1) {
            return;
        }
        if (buckets.isEmpty()) {
            fillBuckets();
        }
        arrivals.finish();
        isLastBackward = false;
        while (sent < buckets.size()) {
            send();
        }
        processGroup.guarded(() -> buckets.forEach(Bucket::receive));
    }

    /**
     * What went wrong in a backward pass: where it was the exchange, the process that broke it; otherwise the failure itself.
     *
     * @param failure thrown by the backward pass after {@link #beforeLastBackward}
     */
    public RuntimeException explained(RuntimeException failure) {
        if (buckets.isEmpty() || failure.getClass() != RuntimeException.class) {
            return failure; // a native failure is of exactly that class
        }
        return processGroup
                .explained(failure)
                .<RuntimeException>map(broken -> broken)
                .orElse(failure);
    }

    /** Parameters that have a gradient, in the order in which gradients arrive, cut by size. */
    private void fillBuckets() {
        List<Tensor> trained = new ArrayList<>();
        List<Bucket> places = new ArrayList<>();
        Bucket open = new Bucket();
        long bytes = 0;
        for (int i = parameters.size() - 1; i >= 0; i--) {
            Tensor parameter = parameters.get(i);
            if (!parameter.grad().defined()) {
                continue;
            }
            trained.add(parameter);
            places.add(open);
            open.members.add(parameter);
            bytes += parameter.nbytes();
            if (bytes >= (buckets.isEmpty() ? FIRST_BUCKET_BYTES : BUCKET_BYTES)) {
                buckets.add(open);
                open = new Bucket();
                bytes = 0;
            }
        }
        if (!open.members.isEmpty()) {
            buckets.add(open);
        }
        arrivals = new GradientArrivals(trained, i -> added(places.get(i)));
    }

    private void added(Bucket bucket) {
        if (isLastBackward) {
            if (--bucket.awaited < 0) {
                throw new IllegalStateException("a parameter got two gradients in one backward pass");
            }
            while (sent < buckets.size() && buckets.get(sent).awaited == 0) {
                send();
            }
        }
    }

    /** Every process sends its buckets in the same order. */
    private void send() {
        processGroup.guarded(buckets.get(sent++)::send);
    }

    /** Gradients that are exchanged as one tensor. */
    private final class Bucket {
        private final List<Tensor> members = new ArrayList<>();
        private int awaited; // gradients of the last backward pass that have not arrived
        private Work exchange; // on its way

        /** The share of this process in the mean, in place; Gloo lays them side by side for the time of the exchange. */
        void send() {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                TensorVector shares = new TensorVector();
                members.forEach(parameter ->
                        shares.push_back(parameter.grad().div_(new Scalar((double) processGroup.worldSize()))));
                exchange = Scopes.keep(processGroup.group().allreduce_coalesced(shares));
            }
        }

        void receive() {
            exchange._wait();
            exchange.releaseReference();
        }
    }

    @Override
    public void close() {
        if (arrivals != null) {
            arrivals.close();
        }
        buckets.clear();
    }
}
