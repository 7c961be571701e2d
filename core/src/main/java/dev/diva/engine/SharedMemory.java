package dev.diva.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * Memory of which the processes of one machine hold one copy, for what is the same in all of them: masters and the state of an optimiser.
 * Each changes a part of every tensor, as ZeRO shares the optimiser out, and sees what the others changed without an exchange.
 *
 * <p>It is a file in {@code /dev/shm} that loses its name before anything is written, so that its pages go with the last process, however that
 * ends. Where there is no such folder, or no room in it, each process keeps its own copy and computes all of it.
 */
public final class SharedMemory implements AutoCloseable {
    private static final Path FOLDER = Path.of("/dev/shm");
    /** Elements: parts begin where the vectors of a kernel do, so that every element is computed as in the whole. */
    private static final long PART_ALIGNMENT = 64;

    private static final long ALIGNMENT = 64;
    private static final int ZEROS = 1 << 20;

    private final FileChannel file; // or null
    private final int index; // among the processes of the machine
    private final int count;
    private final String refusal; // or null
    private final List<Pointer> mapped = new ArrayList<>();
    private long used;

    private SharedMemory(FileChannel file, int index, int count, String refusal) {
        this.file = file;
        this.index = index;
        this.count = count;
        this.refusal = refusal;
    }

    /** Of a process that keeps everything to itself. */
    public static SharedMemory none() {
        return new SharedMemory(null, 0, 1, null);
    }

    /**
     * Finds the processes of this machine and takes the memory for all of them. Every process of the run must come here.
     *
     * @param tensors what it will hold, several times
     * @param copies how many times; no more than this may be asked for
     */
    public static SharedMemory of(ProcessGroup processGroup, Collection<Tensor> tensors, int copies) {
        if (processGroup.worldSize() == 1) {
            return none();
        }
        long bytes = copies * tensors.stream().mapToLong(SharedMemory::room).sum();
        Path own = create();
        try {
            List<String> files = processGroup.gather(own == null ? "" : own.toString());
            int leader = IntStream.range(0, files.size())
                    .filter(rank -> !files.get(rank).isEmpty() && Files.exists(Path.of(files.get(rank))))
                    .findFirst()
                    .orElse(processGroup.rank());
            FileChannel file = open(files.get(leader));
            List<String> leaders = processGroup.gather(file == null ? "" : files.get(leader));
            List<Integer> group = IntStream.range(0, leaders.size())
                    .filter(rank -> file != null && leaders.get(rank).equals(files.get(leader)))
                    .boxed()
                    .toList();
            delete(own);
            boolean leads = group.size() > 1 && leader == processGroup.rank();
            String refused =
                    processGroup.gather(leads ? reserve(file, bytes) : "").get(leader);
            if (group.size() < 2 || !refused.isEmpty()) {
                close(file);
                return new SharedMemory(null, 0, 1, refused.isEmpty() ? null : refused);
            }
            return new SharedMemory(file, group.indexOf(processGroup.rank()), group.size(), null);
        } finally {
            delete(own);
        }
    }

    private static Path create() {
        try {
            return Files.createTempFile(FOLDER, "diva-", "");
        } catch (IOException | UnsupportedOperationException e) {
            return null; // another system, or a folder that must not be written
        }
    }

    private static FileChannel open(String path) {
        try {
            return path.isEmpty()
                    ? null
                    : FileChannel.open(Path.of(path), StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException e) {
            return null;
        }
    }

    /** Writes zeros, because a mapped page for which there is no room would end the process. Says why it cannot. */
    private static String reserve(FileChannel file, long bytes) {
        try {
            if (Files.getFileStore(FOLDER).getUsableSpace() < bytes) {
                return refusal(bytes);
            }
            ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS);
            for (long at = 0; at < bytes; at += zeros.limit()) {
                zeros.clear().limit((int) Math.min(ZEROS, bytes - at));
                while (zeros.hasRemaining()) {
                    file.write(zeros, at + zeros.position());
                }
            }
            return "";
        } catch (IOException e) {
            release(file);
            return refusal(bytes);
        }
    }

    private static String refusal(long bytes) {
        return FOLDER + " has no room for " + (bytes >> 20)
                + " MiB: each process of this machine keeps masters and optimizer state of its own";
    }

    private static void release(FileChannel file) {
        try {
            file.truncate(0);
        } catch (IOException e) {
            return; // the other processes drop it too
        }
    }

    private static void delete(Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            return; // an empty file
        }
    }

    /** Why processes that could share do not. */
    public Optional<String> refusal() {
        return Optional.ofNullable(refusal);
    }

    /**
     * A tensor like this one, of zeros; all processes ask in the same order.
     *
     * @return kept, to be released before this memory is closed
     */
    public Tensor like(Tensor tensor) {
        if (file == null) {
            return Scopes.keep(torch.zeros_like(tensor));
        }
        long at = used;
        used += room(tensor);
        try (PointerScope scope = new PointerScope()) {
            BytePointer bytes = new BytePointer(file.map(MapMode.READ_WRITE, at, tensor.nbytes()));
            mapped.add(Scopes.keep(bytes));
            return Scopes.keep(torch.from_blob(bytes, tensor.shape(), new TensorOptions(tensor.scalar_type())));
        } catch (IOException e) {
            throw new IllegalStateException("shared memory cannot be mapped: " + e.getMessage(), e);
        }
    }

    private static long room(Tensor tensor) {
        return (tensor.nbytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /**
     * The elements that this process changes.
     *
     * @param tensor contiguous
     * @return a flat view, or the tensor itself where the process is alone
     */
    public Tensor own(Tensor tensor) {
        if (count == 1) {
            return tensor;
        }
        long from = edge(tensor.numel(), index);
        return tensor.view(-1).narrow(0, from, edge(tensor.numel(), index + 1) - from);
    }

    private long edge(long numel, int part) {
        return part == count ? numel : numel * part / count / PART_ALIGNMENT * PART_ALIGNMENT;
    }

    /** Moves tensors that are the same in all processes here; they must not be used once this memory is closed. */
    public void adopt(ProcessGroup processGroup, Collection<Tensor> tensors) {
        if (file == null) {
            return;
        }
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            List<Tensor> places = tensors.stream().map(this::like).toList();
            int i = 0;
            for (Tensor tensor : tensors) {
                own(places.get(i++)).copy_(own(tensor));
            }
            processGroup.barrier();
            i = 0;
            for (Tensor tensor : tensors) {
                Tensor place = places.get(i++);
                tensor.set_data(place);
                Scopes.release(place);
            }
        }
        Engine.trimMemory(); // their old places are too small for what comes next
    }

    @Override
    public void close() {
        mapped.forEach(Pointer::releaseReference);
        mapped.clear();
        close(file);
    }

    private static void close(FileChannel file) {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            return; // nothing of it outlives the processes
        }
    }
}
