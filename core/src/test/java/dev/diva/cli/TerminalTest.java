package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.diva.testing.Golden;
import dev.diva.testing.JavaProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C on a terminal, which a progress bar writes to: a pseudo-terminal of {@code script} stands for it. */
class TerminalTest {
    private static final int CONTROL_C = 3;

    @TempDir
    Path folder;

    @BeforeAll
    static void requireScript() {
        assumeTrue(
                System.getProperty("os.name").equals("Linux") && Files.isExecutable(Path.of("/usr/bin/script")),
                "script of util-linux");
        assumeTrue(takesSignals(), "env --default-signal of coreutils");
    }

    /** What a job in the background of a script starts ignores Ctrl-C, and so would the commands below. */
    private static boolean takesSignals() {
        try {
            return new ProcessBuilder("env", "--default-signal=INT", "true")
                            .redirectErrorStream(true)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Test
    void controlCWritesACheckpointOfATraining() throws Exception {
        List<String> arguments = new ArrayList<>(List.of("train", "--out", folder + "/run"));
        arguments.addAll(List.of("--clip", Golden.model("clip-hf-vit").toString()));
        arguments.addAll(List.of("--diffusion", Golden.model("sd21").toString()));
        arguments.addAll(List.of("--images", new TrainRuns(folder).images().toString()));
        for (String assignment : List.of("resolution=64", "precision=fp32", "threads=1", "train.steps=100000")) {
            arguments.addAll(List.of("--set", assignment));
        }
        Session session = new Session(arguments);
        session.await(() -> session.output().contains(" 1/100000"));
        session.interrupt();
        assertThat(session.exitCode()).as(session.output()).isEqualTo(ExitCodes.RESUMABLE);
        assertThat(session.output()).contains("stopped after a checkpoint; go on with: diva train --resume");
        try (Stream<Path> checkpoints = Files.list(folder.resolve("run/checkpoints"))) {
            assertThat(checkpoints).hasSize(1);
        }
    }

    @Test
    void controlCLeavesNothingHiddenBesideEmbeddings() throws Exception {
        Path out = Files.createDirectory(folder.resolve("out"));
        List<String> arguments = new ArrayList<>(List.of("encode", "--clip"));
        arguments.addAll(List.of(Golden.model("clip-hf-vit").toString(), "--out", out + "/e.safetensors"));
        arguments.addAll(List.of("--batch", "2", "--threads", "1", "--precision", "fp32", "--images"));
        String images = new TrainRuns(folder).images().toString();
        for (int i = 0; i < 2_000; i++) {
            arguments.add(images); // long enough to be interrupted
        }
        Session session = new Session(arguments);
        session.await(() -> {
            try (Stream<Path> files = Files.list(out)) {
                return files.anyMatch(file -> file.toString().endsWith(".rows"));
            }
        });
        TrainRuns.Outcome second = TrainRuns.run(
                "encode",
                "--clip",
                Golden.model("clip-hf-vit").toString(),
                "--text",
                "a cat",
                "--out",
                out + "/e.safetensors");
        session.interrupt();
        assertThat(session.exitCode()).as(session.output()).isEqualTo(130);
        assertThat(second.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(second.err()).contains("another process is writing it");
        try (Stream<Path> left = Files.list(out)) {
            assertThat(left).isEmpty();
        }
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    /** A command on a terminal of its own. */
    private static final class Session {
        private final Process process;

        @SuppressWarnings("JdkObsolete") // written by one thread and read by another
        private final StringBuffer output = new StringBuffer();

        private final Thread reader;

        Session(List<String> arguments) throws IOException {
            List<String> command = JavaProcess.command(Main.class, arguments.toArray(String[]::new));
            command.add(1, "-Ddiva.terminal=true");
            String line = command.stream()
                    .map(word -> "'" + word.replace("'", "'\\''") + "'")
                    .collect(Collectors.joining(" "));
            process = new ProcessBuilder("script", "-qefc", "exec env --default-signal=INT " + line, "/dev/null")
                    .redirectErrorStream(true)
                    .start();
            reader = new Thread(this::read);
            reader.start();
        }

        private void read() {
            byte[] buffer = new byte[4096];
            try (InputStream in = process.getInputStream()) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    output.append(new String(Arrays.copyOf(buffer, n), StandardCharsets.UTF_8));
                }
            } catch (IOException e) {
                return; // the terminal is gone
            }
        }

        void await(Condition condition) throws Exception {
            while (process.isAlive() && !condition.holds()) {
                Thread.sleep(20);
            }
        }

        void interrupt() throws IOException {
            process.getOutputStream().write(CONTROL_C);
            process.getOutputStream().flush();
        }

        int exitCode() throws InterruptedException {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).as(output()).isTrue();
            reader.join();
            return process.exitValue();
        }

        String output() {
            return output.toString();
        }
    }
}
