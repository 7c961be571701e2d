package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FailureTest {
    /** As JavaCPP throws it for the build with CUDA where CUDA is not installed. */
    @Test
    void aLibraryThatIsNotThereIsNamed() {
        UnsatisfiedLinkError failure = new UnsatisfiedLinkError("no jnitorch in java.library.path: /usr/lib");
        failure.initCause(new UnsatisfiedLinkError(
                "/a/libjnitorch.so: libcupti.so.13: cannot open shared object file: No such file or directory"));
        assertThat(Failure.exitCode(failure)).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(Failure.line(failure))
                .startsWith("libtorch cannot be loaded: libcupti.so.13 is not where the system looks for libraries")
                .contains("./mvnw -Pcuda", "docs/gpu.md")
                .doesNotContain("\n");
    }
}
