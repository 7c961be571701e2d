package dev.diva.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GpuTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"cuda", "cuda:1"})
    void aGpuThatIsNotThereIsRefusedWithWhatWasFound(String device) {
        Assumptions.assumeFalse(torch.cuda_is_available());
        assertThatThrownBy(() -> Placement.of(device, "auto", false))
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll("device is " + device + ", and there is none", Gpu.found(), "use device cpu");
        assertThat(Gpu.memory()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpu", "meta", "cuda:", "cuda:x", "", "CPU"})
    void aDeviceOfAnotherNameIsRefused(String device) {
        assertThatThrownBy(() -> Placement.of(device, "fp32", false))
                .isInstanceOf(BadInputException.class)
                .hasMessage("device is " + device + ", expected cpu, cuda, or cuda:1 and so on");
    }

    @Test
    void tf32IsOfGpusAlone() {
        assertThatThrownBy(() -> Gpu.useTf32("cpu", true))
                .isInstanceOf(BadInputException.class)
                .hasMessage("tf32 is of GPUs, and device is cpu; leave tf32 out, or use device cuda");
        Gpu.useTf32("cuda", true);
        Gpu.useTf32("cuda", false); // as it was
    }

    @Test
    void buildDriverAndVariableAreTold() throws IOException {
        Path driver = Files.writeString(
                folder.resolve("version"), "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.1\nGCC version: 12\n");
        assertThat(Gpu.found(driver, true, ""))
                .isEqualTo("this build of libtorch has CUDA, driver: NVRM version: NVIDIA UNIX x86_64 Kernel Module "
                        + " 580.1, CUDA_VISIBLE_DEVICES is \"\"");
        assertThat(Gpu.found(folder.resolve("none"), false, null))
                .isEqualTo("this build of libtorch has no CUDA (build with ./mvnw -Pcuda package), no driver of NVIDIA"
                        + " (no "
                        + folder.resolve("none") + ")");
    }
}
