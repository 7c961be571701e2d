package dev.diva.engine;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/**
 * What this process may use.
 *
 * @param processor name of the processor, or of its architecture
 * @param cores that this process may use
 * @param threads of one libtorch operation
 * @param memoryBytes of the machine, or of the container
 * @param heapBytes most that Java objects may take; tensors are outside of it
 * @param libtorch its version, then that of its Java binding
 * @param instructions the widest vector instructions that libtorch uses here
 * @param cuda whether libtorch sees a CUDA device
 * @param precision the faster one here, of fp32 and bf16
 * @param int8 whether the processor has instructions for products of int8 (VNNI, AMX-INT8)
 */
public record Machine(
        String system,
        String processor,
        int cores,
        int threads,
        long memoryBytes,
        long heapBytes,
        String java,
        String libtorch,
        String instructions,
        boolean cuda,
        Precision precision,
        boolean int8) {
    /** The machine as it is now. */
    public static Machine read() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return new Machine(
                system.getName() + " " + system.getVersion() + " " + system.getArch(),
                CpuInfo.modelName().orElse(system.getArch()),
                Runtime.getRuntime().availableProcessors(),
                Engine.threads(),
                system.getTotalMemorySize(),
                Runtime.getRuntime().maxMemory(),
                Runtime.version().toString(),
                readLibtorch(),
                torch.get_cpu_capability().getString(),
                torch.cuda_is_available(),
                Precision.fastest(),
                Int8Linear.isFast());
    }

    private static String readLibtorch() {
        try {
            return Loader.getVersion("org.bytedeco", "pytorch");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
