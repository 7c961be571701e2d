package dev.diva.engine;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.cuda.DeviceStats;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch_cuda;

/** The GPUs of this machine, as far as this build of libtorch can use them. */
public final class Gpu {
    private static final Path DRIVER = Path.of("/proc/driver/nvidia/version");

    private static volatile int used = -1; // index of the GPU, once one is asked for
    private static volatile boolean tf32;

    private Gpu() {}

    /**
     * Whether products and convolutions of fp32 on GPUs are computed as TF32, which has 10 bits behind the point; they are not unless this is asked
     * for. To be said before models are loaded.
     *
     * @param device that will be used
     * @throws BadInputException when it is asked for on a processor, which has no TF32
     */
    public static void useTf32(String device, boolean isAllowed) {
        if (isAllowed && !device.startsWith("cuda")) {
            throw new BadInputException(
                    "tf32 is of GPUs, and device is " + device + "; leave tf32 out, or use device cuda");
        }
        tf32 = isAllowed;
    }

    /**
     * Refuses a GPU that cannot be used.
     *
     * @param name as the user said it
     * @param index of the GPU, -1 for the first
     */
    static void require(String name, int index) {
        if (!torch.cuda_is_available()) {
            throw new BadInputException("device is " + name + ", and there is none: " + found() + "; use device cpu");
        }
        // As on the processor: fp32 is fp32 unless TF32 is asked for, and the same inputs give the same bits wherever
        // there is such a kernel.
        torch.globalContext().setAllowTF32CuBLAS(tf32);
        torch.globalContext().setAllowTF32CuDNN(tf32);
        torch.globalContext().setDeterministicCuDNN(true);
        torch.globalContext().setDeterministicAlgorithms(true, true);
        torch.globalContext().setDeterministicFillUninitializedMemory(false);
        int count = torch.cuda_device_count();
        if (index >= count) {
            throw new BadInputException(
                    "device is " + name + ", and GPUs 0 to " + (count - 1) + " are seen; see CUDA_VISIBLE_DEVICES");
        }
        used = Math.max(0, index);
    }

    /** What CUDA's allocator has on the GPU that this process uses; empty where none is used. */
    public static Optional<GpuMemory> memory() {
        if (used < 0) {
            return Optional.empty();
        }
        DeviceStats stats = torch_cuda.getAllocator().getDeviceStats((byte) used);
        return Optional.of(new GpuMemory(
                stats.allocated_bytes().current(),
                stats.reserved_bytes().current(),
                stats.allocated_bytes().peak(),
                stats.reserved_bytes().peak()));
    }

    /** Waits until all that was asked of the GPU is done, so that a clock can be read. */
    public static void synchronize(Device device) {
        if (device.is_cuda()) {
            torch.cuda_synchronize(device.has_index() ? device.index() : -1);
        }
    }

    /** What speaks for and against a GPU here, in one line. */
    public static String found() {
        return found(DRIVER, Context.hasCUDART(), System.getenv("CUDA_VISIBLE_DEVICES"));
    }

    /** @param driver file in which NVIDIA's driver tells its version */
    static String found(Path driver, boolean isCudaBuild, String visible) {
        return (isCudaBuild
                        ? "this build of libtorch has CUDA"
                        : "this build of libtorch has no CUDA (build with ./mvnw -Pcuda package)")
                + ", " + driver(driver)
                + (visible == null ? "" : ", CUDA_VISIBLE_DEVICES is \"" + visible + "\"");
    }

    private static String driver(Path file) {
        if (!Files.isReadable(file)) {
            return "no driver of NVIDIA (no " + file + ")";
        }
        try (Stream<String> lines = Files.lines(file)) {
            return "driver: " + lines.findFirst().orElse("of unknown version").strip();
        } catch (IOException e) {
            return "driver of unknown version";
        }
    }
}
