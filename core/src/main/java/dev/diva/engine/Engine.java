package dev.diva.engine;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.global.torch;
import org.slf4j.LoggerFactory;

/** Start-up of libtorch: threads, and what the machine can do. */
public final class Engine {
    private Engine() {}

    static {
        if (System.getenv("GOMP_SPINCOUNT") == null && System.getenv("OMP_WAIT_POLICY") == null) {
            LoggerFactory.getLogger(Engine.class)
                    .info(
                            "libtorch's threads spin while they wait, which slows small models on a busy machine; start the JVM with"
                                    + " GOMP_SPINCOUNT=1000 OPENBLAS_THREAD_TIMEOUT=4 in its environment (docs/library.md)");
        }
    }

    /** Far more threads than cores wait for each other without end: four for each, and 64 for recipes from larger machines. */
    public static int mostThreads() {
        return Math.max(64, 4 * Runtime.getRuntime().availableProcessors());
    }

    /**
     * Sets the number of threads of one libtorch operation, and of OpenBLAS below it, which keeps threads of its own: left at one per
     * core, they and libtorch's wait for each other, and a small model trains several times slower.
     *
     * @param threads at least 1; 0 takes one per physical core that this process may use
     */
    public static void setThreads(int threads) {
        if (threads < 0) {
            throw new IllegalArgumentException("threads < 0: " + threads);
        }
        if (threads > mostThreads()) {
            throw new BadInputException("threads is " + threads + ", expected at most " + mostThreads()
                    + " on this machine, or 0 for all cores");
        }
        int count = threads(threads);
        torch.set_num_threads(count);
        openblas_nolapack.blas_set_num_threads(count);
    }

    /** How many a setting means: 0 is one per core that this process may use. */
    public static int threads(int setting) {
        return setting == 0 ? Runtime.getRuntime().availableProcessors() : setting;
    }

    /** Threads of one libtorch operation that the calling thread starts. */
    public static int threads() {
        return torch.get_num_threads();
    }

    /**
     * A device by its name: {@code cpu}, {@code cuda:1}, or {@code cuda}, which is the GPU of this process's LOCAL_RANK.
     *
     * @throws BadInputException when there is no such GPU, with what was found
     */
    public static Device device(String name) {
        String localRank = System.getenv("LOCAL_RANK");
        Device device = new Device(name.equals("cuda") && localRank != null ? "cuda:" + localRank : name);
        if (device.is_cuda()) {
            Gpu.require(name, device.index());
        }
        return device;
    }

    /**
     * Gives memory that was freed back to the system. It is kept otherwise, since touching it anew costs time; and what was freed by one
     * model does not always fit the tensors of the next.
     */
    public static void trimMemory() {
        Pointer.trimMemory();
    }

    /** Whether the device keeps its memory apart from the host's. */
    public static boolean isCuda(Device device) {
        return device.is_cuda();
    }

    /** Resident memory of this process in bytes, or -1 where the system does not tell. */
    public static long residentBytes() {
        Path statm = Path.of("/proc/self/statm");
        try {
            return Files.isReadable(statm)
                    ? Long.parseLong(Files.readString(statm).split(" ")[1]) * 4096
                    : -1;
        } catch (IOException e) {
            return -1;
        }
    }
}
