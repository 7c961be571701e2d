package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.testing.JavaProcess;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessLauncherTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void rankZeroSpeaksForTheCommandAndTheRestIsMarked() {
        assertThat(launch("work")).isZero();
        assertThat(out.toString()).contains("rank 0 of 2").doesNotContain("[").doesNotContain("rank 1");
        assertThat(err.toString()).contains("[1] rank 1 of 2", "[0] warning 0", "[1] warning 1");
    }

    @Test
    void aKilledRankIsNamedAndEndsTheOthersWithinThirtySeconds() {
        long started = System.nanoTime();
        assertThat(launch("killed")).isEqualTo(1);
        assertThat((System.nanoTime() - started) * 1e-9).isLessThan(30);
        assertThat(err.toString()).contains("diva: rank 1 of 2 was killed by signal 9; the others were stopped");
    }

    @Test
    void theCodeIsThatOfTheRankThatFailedOfItself() {
        assertThat(launch("bad")).isEqualTo(3);
        assertThat(launch("followed")).isEqualTo(1);
        assertThat(err.toString()).contains("rank 1 of 2 failed").doesNotContain("rank 0 of 2 failed");
    }

    @Test
    void aSignalReachesAllRanksAndTheRunIsResumable(@TempDir Path folder) throws Exception {
        JavaProcess launcher = JavaProcess.start(folder, LauncherRank.class, Map.of(), "launch", "resumable");
        awaitTwoRanks(launcher);
        launcher.process().destroy();
        assertThat(launcher.await(40)).isEqualTo(ExitCodes.RESUMABLE);
        assertThat(launcher.output()).contains("[1] saved");
    }

    @Test
    void noRankOutlivesAKilledLauncher(@TempDir Path folder) throws Exception {
        JavaProcess launcher = JavaProcess.start(folder, LauncherRank.class, Map.of(), "launch", "resumable");
        awaitTwoRanks(launcher);
        List<ProcessHandle> ranks = launcher.output()
                .lines()
                .filter(line -> line.contains("pid "))
                .map(line -> line.substring(line.indexOf("pid ") + 4))
                .map(pid -> ProcessHandle.of(Long.parseLong(pid)).orElseThrow())
                .toList();
        launcher.process().destroyForcibly();
        for (ProcessHandle rank : ranks) {
            rank.onExit().get(30, java.util.concurrent.TimeUnit.SECONDS);
        }
        assertThat(ranks).hasSize(2);
    }

    @Test
    void theOptionIsNotPassedOn() {
        assertThat(ProcessesOption.withoutOption(List.of("train", "--processes", "4", "r.yaml", "--processes=2")))
                .containsExactly("train", "r.yaml");
    }

    private int launch(String task) {
        List<String> program = List.of(LauncherRank.class.getName(), task);
        return new ProcessLauncher(2, program, new PrintWriter(out), new PrintWriter(err)).run();
    }

    private static void awaitTwoRanks(JavaProcess launcher) throws InterruptedException {
        for (int i = 0; i < 300 && launcher.output().split("warning").length < 3; i++) {
            Thread.sleep(100);
        }
        assertThat(launcher.output()).contains("warning 0", "warning 1");
    }
}
