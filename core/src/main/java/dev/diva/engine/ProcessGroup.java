package dev.diva.engine;

import java.io.IOException;
import java.lang.ref.Reference;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.BackendOptional;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;

/**
 * The processes of a run and what they exchange, over c10d: Gloo between processors, NCCL between GPUs. A run of one process makes no
 * group, and every method is then free. Every exchange must be entered by all processes in the same order, from one thread.
 */
public final class ProcessGroup implements AutoCloseable {
    private final int rank;
    private final int worldSize;
    private final org.bytedeco.pytorch.ProcessGroup group;
    private final Peers peers;
    private final List<Pointer> held; // collected by the garbage collector, they would end the store under the others

    private ProcessGroup(
            int rank, int worldSize, org.bytedeco.pytorch.ProcessGroup group, Peers peers, List<Pointer> held) {
        this.rank = rank;
        this.worldSize = worldSize;
        this.group = group;
        this.peers = peers;
        this.held = List.copyOf(held);
    }

    /** This process alone. */
    public static ProcessGroup single() {
        return new ProcessGroup(0, 1, null, null, List.of());
    }

    /**
     * Meets the other processes of a run.
     *
     * @param placement where the tensors to be exchanged live; those on the CPU can always be exchanged too
     * @param terms what must be the same on every process, by name, such as the hash of the recipe
     * @param timeout for all to come
     * @param exchangeTimeout for each exchange, in which rank 0 may be writing a checkpoint or scoring
     * @throws ProcessGroupException on every process, naming the rank, when one does not come or brings other terms
     */
    public static ProcessGroup join(
            ProcessPlace place,
            Placement placement,
            Map<String, String> terms,
            Duration timeout,
            Duration exchangeTimeout) {
        torch.initLogging(); // heeds TORCH_CPP_LOG_LEVEL
        Rendezvous rendezvous = Rendezvous.meet(place, terms, timeout);
        Peers peers = new Peers(place, exchangeTimeout);
        try (PointerScope scope = new PointerScope()) {
            List<Pointer> held = new ArrayList<>(List.of(rendezvous.store()));
            org.bytedeco.pytorch.ProcessGroup group =
                    new org.bytedeco.pytorch.ProcessGroup(place.rank(), place.worldSize());
            ProcessGroupGloo gloo = gloo(place, rendezvous, exchangeTimeout);
            group.setBackend(
                    DeviceType.CPU, org.bytedeco.pytorch.ProcessGroup.BackendType.GLOO, new BackendOptional(gloo));
            held.add(gloo);
            if (Engine.isCuda(placement.device())) {
                ProcessGroupNCCL nccl = new ProcessGroupNCCL(rendezvous.store(), place.rank(), place.worldSize());
                group.setBackend(
                        DeviceType.CUDA, org.bytedeco.pytorch.ProcessGroup.BackendType.NCCL, new BackendOptional(nccl));
                held.add(nccl);
            }
            held.add(group);
            held.forEach(Pointer::retainReference);
            return new ProcessGroup(place.rank(), place.worldSize(), group, peers, held);
        } catch (UnsatisfiedLinkError e) {
            throw new ProcessGroupException("this build of libtorch has no Gloo; run one process, or use Linux", e);
        } catch (RuntimeException e) {
            throw peers.explain(e);
        }
    }

    private static ProcessGroupGloo gloo(ProcessPlace place, Rendezvous rendezvous, Duration timeout) {
        ProcessGroupGloo.Options options = ProcessGroupGloo.Options.create(new Milliseconds(timeout.toMillis()));
        options.devices().push_back(device(place, rendezvous.onOneHost()));
        return new ProcessGroupGloo(rendezvous.store(), place.rank(), place.worldSize(), options);
    }

    /** Network card: loopback on one machine, GLOO_SOCKET_IFNAME if set, otherwise the one that leads to rank 0. */
    private static org.bytedeco.pytorch.gloo.Device device(ProcessPlace place, boolean onOneHost) {
        String name = System.getenv("GLOO_SOCKET_IFNAME");
        if (name != null) {
            return ProcessGroupGloo.createDeviceForInterface(name);
        }
        if (onOneHost) {
            return ProcessGroupGloo.createDeviceForHostname("127.0.0.1");
        }
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(place.masterAddress(), place.masterPort()));
            return socket.getLocalAddress().isLoopbackAddress()
                    ? ProcessGroupGloo.createDefaultDevice()
                    : ProcessGroupGloo.createDeviceForHostname(
                            socket.getLocalAddress().getHostAddress());
        } catch (IOException e) {
            throw new ProcessGroupException("rank " + place.rank() + ": no way to " + Rendezvous.at(place), e);
        }
    }

    /** 0 to {@link #worldSize} - 1. */
    public int rank() {
        return rank;
    }

    /** Number of processes. */
    public int worldSize() {
        return worldSize;
    }

    /** Whether this process writes what the run leaves behind. */
    public boolean isFirst() {
        return rank == 0;
    }

    /** Averages gradients of these parameters over the processes. */
    public GradientAverage averaging(List<Tensor> parameters) {
        return new GradientAverage(this, parameters);
    }

    /** Replaces the tensor on every process by the sum over the processes. */
    public void sum(Tensor tensor) {
        exchange(() -> group.allreduce(new TensorVector(tensor)));
    }

    /** Sums of each value over the processes. */
    public double[] sum(double... values) {
        if (worldSize == 1) {
            return values;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = torch.empty(new long[] {values.length}, new TensorOptions(ScalarType.Double), null);
            DoublePointer data = new DoublePointer(tensor.data_ptr());
            data.put(values);
            sum(tensor);
            double[] sums = new double[values.length];
            data.get(sums);
            return sums;
        }
    }

    /** Whether it is true on any process. */
    public boolean any(boolean here) {
        return sum(here ? 1 : 0)[0] > 0;
    }

    /** Replaces the tensor on every process by that of rank 0. */
    public void broadcast(Tensor tensor) {
        exchange(() -> group.broadcast(new TensorVector(tensor)));
    }

    /** What each process says, by rank; the same list on every process. */
    public List<String> gather(String mine) {
        return peers == null ? List.of(mine) : peers.gather(mine);
    }

    /** What the processes say of themselves as one line, each with its rank where there are several; empty if none says anything. */
    public String gatherLines(String mine) {
        String own = worldSize == 1 || mine.isEmpty() ? mine : "rank " + rank + ": " + mine;
        return gather(own).stream().filter(line -> !line.isEmpty()).collect(Collectors.joining("; "));
    }

    /** Waits for all processes, as long as an exchange may take. */
    public void barrier() {
        sum(0);
    }

    /** Waits for all processes, however long they work; a lost one is named. */
    public void awaitAll() {
        gather("");
    }

    /** Tells the other processes why this one leaves, so that they can say so; takes a few seconds. */
    public void fail(String reason) {
        if (peers != null) {
            peers.fail("rank " + rank + ": " + reason);
        }
    }

    org.bytedeco.pytorch.ProcessGroup group() {
        return group;
    }

    /** Runs a part of an exchange; when that breaks, finds out which process broke it. */
    void guarded(Runnable part) {
        peers.entered();
        try {
            part.run();
        } catch (ProcessGroupException e) {
            throw e;
        } catch (RuntimeException e) {
            throw peers.explain(e);
        }
    }

    /** The process that broke an exchange, if one did. */
    Optional<ProcessGroupException> explained(RuntimeException failure) {
        return peers.broken(failure);
    }

    private void exchange(Supplier<Work> start) {
        if (worldSize > 1) {
            guarded(() -> {
                try (PointerScope scope = new PointerScope()) {
                    start.get()._wait();
                }
            });
        }
    }

    /** Leaves the group; rank 0 stays for a moment until all have. The native group lives as long as the process. */
    @Override
    public void close() {
        try {
            if (peers != null) {
                peers.close();
            }
        } finally {
            Reference.reachabilityFence(held);
        }
    }
}
