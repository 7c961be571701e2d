package dev.diva.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 10,000 of the cases that {@code faults/fuzz.sh} runs by the million, and the harness itself. */
class FuzzTest {
    private static final long CASES = 10_000;
    private static final long SEED = 20261124;

    @TempDir
    Path scratch;

    @Test
    void damagedFilesOfEveryKindAreReadOrRefused() throws IOException {
        List<Fuzz.Target> targets = FuzzTargets.all(scratch);
        for (Fuzz.Target target : targets) {
            Path folder = Files.createDirectories(scratch.resolve(target.name()).resolve("target"));
            long cases = CASES / targets.size() + 1;
            Fuzz.Outcome outcome = Fuzz.run(target, cases, SEED, folder);
            assertThat(outcome.refused()).as(outcome.toString()).isBetween(cases / 50, cases - 1);
        }
    }

    @Test
    void theHarnessSeesWhatItIsFor() {
        byte[] sound = "sound".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        assertThat(run((input, folder) -> requireSound(input, sound)).refused()).isGreaterThan(500);
        assertFails("threw java.lang.ArithmeticException", (input, folder) -> {
            if (input.length == 3) {
                throw new ArithmeticException();
            }
        });
        assertFails("left a file", (input, folder) -> Files.write(folder.resolve("../outside"), input));
        assertFails("refused because of an error", (input, folder) -> {
            if (input.length == 3) {
                throw new BadInputException("no memory", new OutOfMemoryError());
            }
        });
        assertFails("a sound file is refused", (input, folder) -> {
            throw new BadInputException("always");
        });
    }

    private static void requireSound(byte[] input, byte[] sound) {
        if (!java.util.Arrays.equals(input, sound)) {
            throw new BadInputException("not sound");
        }
    }

    private Fuzz.Outcome run(Fuzz.Parser parser) {
        try {
            Path folder = Files.createTempDirectory(scratch, "harness");
            byte[] sound = "sound".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            return Fuzz.run(new Fuzz.Target("harness", parser, List.of(sound)), 1_000, SEED, folder);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private void assertFails(String message, Fuzz.Parser parser) {
        assertThatThrownBy(() -> run(parser)).isInstanceOf(AssertionError.class).hasMessageContaining(message);
    }
}
