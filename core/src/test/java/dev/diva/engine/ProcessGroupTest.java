package dev.diva.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.testing.JavaProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessGroupTest {
    private static final int LIMIT_SECONDS = 90;

    @TempDir
    private static Path folder;

    // Most of their time is waiting, so they wait together.
    private static List<List<JavaProcess>> killed; // by the rank that is
    private static List<JavaProcess> killedInBackward;
    private static List<JavaProcess> hanging;
    private static List<JavaProcess> failing;

    @BeforeAll
    static void startThoseThatLoseARank() {
        killed = List.of(run(3, "die", "r", 60, "-Ddie=0"), run(3, "die", "r", 60, "-Ddie=1"));
        killedInBackward = run(3, "gradients", "r", 60, "-Ddie=1");
        hanging = run(3, "hang", "r", 60, "-Dexchange=8");
        failing = run(2, "fail", "r", 60);
    }

    @Test
    void sumsBroadcastsAndFlagsAreThoseOfAllProcesses() {
        for (JavaProcess process : run(3, "exchange", "r", 60)) {
            assertThat(process.await(LIMIT_SECONDS)).as(process.output()).isZero();
            assertThat(process.output()).contains("sum [6.0, 30.0]", "broadcast 7.0", "any true false");
        }
    }

    @Test
    void processesOfAMachineHoldOneCopyOfWhichEachChangesAPart() {
        // Parts of 1000 begin at 64 x 5 and 64 x 10.
        int[] own = {320, 320, 360};
        long sum = 320 + 2 * 320 + 3 * 360;
        List<JavaProcess> processGroup = run(3, "memory", "r", 60);
        for (int rank = 0; rank < 3; rank++) {
            assertThat(processGroup.get(rank).await(LIMIT_SECONDS))
                    .as(processGroup.get(rank).output())
                    .isZero();
            assertThat(processGroup.get(rank).output().lines())
                    .contains(
                            "kept true, zero true",
                            "parts 1.0 2.0 3.0 " + sum + " " + 10 * sum,
                            "own " + own[rank],
                            "alone 1000");
            assertThat(processGroup.get(rank).output()).contains("refused /dev/shm has no room for 8257535 MiB");
        }
    }

    @Test
    void gradientsAreThoseOfAllDataAndTheFirstStepHasTheBitsOfTheLaterOnes() {
        List<JavaProcess> processGroup = run(3, "gradients", "r", 60);
        processGroup.forEach(process ->
                assertThat(process.await(LIMIT_SECONDS)).as(process.output()).isZero());
        List<String> steps = processGroup.stream()
                .flatMap(process -> process.output().lines())
                .filter(line -> line.startsWith("step "))
                .toList();
        assertThat(steps).hasSize(9);
        assertThat(steps.stream().map(line -> line.replaceAll("step \\w+", "")).distinct())
                .as("%s", steps)
                .hasSize(1);
        double norm = Double.parseDouble(processGroup
                .get(0)
                .output()
                .lines()
                .filter(line -> line.startsWith("norm "))
                .findFirst()
                .orElseThrow()
                .substring(5));
        assertThat(norm).isCloseTo(normInOneProcess(), org.assertj.core.data.Percentage.withPercentage(0.001));
        assertThat(processGroup.get(2).output()).contains("unused false");
    }

    private static double normInOneProcess() {
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> parameters = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                parameters.add(Tensors.of(ProcessGroupWorker.numbers(300 * 300, i), 300, 300)
                        .set_requires_grad(true));
            }
            for (int part = 0; part < 6; part++) {
                ProcessGroupWorker.loss(parameters, part).div(new Scalar(3)).backward();
            }
            return parameters.get(0).grad().norm().item().toDouble();
        }
    }

    @Test
    void aKilledRankIsNamedByAllOthers() {
        for (int victim : new int[] {0, 1}) {
            List<JavaProcess> processGroup = killed.get(victim);
            for (int rank = 0; rank < 3; rank++) {
                int code = processGroup.get(rank).await(LIMIT_SECONDS);
                String output = processGroup.get(rank).output();
                assertThat(code).as(output).isEqualTo(rank == victim ? 137 : 1);
                if (rank != victim) {
                    assertThat(output)
                            .contains("error: rank " + rank + " stops: rank " + victim)
                            .contains("is gone");
                }
            }
        }
    }

    @Test
    void aRankKilledWhileGradientsAreExchangedIsNamed() {
        for (int rank : new int[] {0, 2}) {
            JavaProcess process = killedInBackward.get(rank);
            assertThat(process.await(LIMIT_SECONDS)).as(process.output()).isEqualTo(1);
            assertThat(process.output()).contains("error: rank " + rank + " stops: rank 1 of 3 is gone");
        }
    }

    @Test
    void aRankThatLivesButDoesNotComeIsNamedAfterTheTimeOfAnExchange() {
        for (int rank : new int[] {0, 2}) {
            JavaProcess process = hanging.get(rank);
            assertThat(process.await(40)).as(process.output()).isEqualTo(1);
            assertThat(process.output())
                    .contains("error: rank " + rank
                            + " stops: rank 1 of 3 hangs: it did not come to an exchange within 8 s");
        }
        hanging.get(1).process().destroyForcibly();
    }

    @Test
    void whyARankLeavesIsSaidByAllOthers() {
        assertThat(failing.get(0).await(LIMIT_SECONDS)).isEqualTo(1);
        assertThat(failing.get(0).output()).contains("rank 0 stops: rank 1: loss is NaN in step 3");
    }

    @Test
    void anotherRecipeIsRefusedOnEveryRankByName() {
        int port = JavaProcess.freePort();
        List<JavaProcess> processGroup =
                List.of(start(0, 2, port, "exchange", "aaa", 60), start(1, 2, port, "exchange", "bbb", 60));
        for (JavaProcess process : processGroup) {
            assertThat(process.await(LIMIT_SECONDS)).isEqualTo(1);
            assertThat(process.output())
                    .contains(
                            "error: rank 1 has another recipe than rank 0: bbb, expected aaa; start all with the same");
        }
    }

    @Test
    void anotherVersionIsRefusedOnEveryRankByName() {
        int port = JavaProcess.freePort();
        List<JavaProcess> processGroup = List.of(
                start(0, 2, port, "exchange", "r", 60, "-Dversion=1.0"),
                start(1, 2, port, "exchange", "r", 60, "-Dversion=1.1"));
        for (JavaProcess process : processGroup) {
            assertThat(process.await(LIMIT_SECONDS)).isEqualTo(1);
            assertThat(process.output())
                    .contains("error: rank 1 has another version than rank 0: 1.1, expected 1.0; start all with the"
                            + " same");
        }
    }

    @Test
    void aRankThatNeverComesIsNamedByAllOthers() {
        int port = JavaProcess.freePort();
        List<JavaProcess> processGroup =
                List.of(start(0, 3, port, "exchange", "r", 6), start(1, 3, port, "exchange", "r", 6));
        JavaProcess alone = start(1, 2, JavaProcess.freePort(), "exchange", "r", 2);
        for (JavaProcess process : processGroup) {
            assertThat(process.await(LIMIT_SECONDS)).isEqualTo(1);
            assertThat(process.output())
                    .contains("error: rank 2 of 3 did not come to 127.0.0.1:" + port + " within 6 s");
        }
        assertThat(alone.await(LIMIT_SECONDS)).isEqualTo(1);
        assertThat(alone.output()).contains("error: rank 1: rank 0 did not come to 127.0.0.1:");
    }

    @Test
    void aPortInUseIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 5, InetAddress.getByName("0.0.0.0"))) {
            JavaProcess process = start(0, 2, taken.getLocalPort(), "exchange", "r", 5);
            assertThat(process.await(LIMIT_SECONDS)).isEqualTo(1);
            assertThat(process.output())
                    .contains("error: rank 0: port " + taken.getLocalPort() + " of 127.0.0.1 is in use");
        }
    }

    @Test
    void environmentIsReadWholeOrRefusedByName() {
        Map<String, String> whole = new ProcessPlace(2, 4, 0, "node7", 29500).toEnvironment();
        assertThat(ProcessPlace.of(whole)).contains(new ProcessPlace(2, 4, 0, "node7", 29500));
        assertThat(ProcessPlace.of(Map.of())).isEmpty();
        assertThat(ProcessPlace.of(Map.of("WORLD_SIZE", "1", "RANK", "0"))).isEmpty();
        assertThatThrownBy(() -> ProcessPlace.of(Map.of("WORLD_SIZE", "2", "RANK", "1")))
                .isInstanceOf(ProcessGroupException.class)
                .hasMessageContaining("MASTER_ADDR is not set");
        assertThatThrownBy(() -> ProcessPlace.of(Map.of("WORLD_SIZE", "two")))
                .hasMessage("WORLD_SIZE is \"two\", expected a whole number");
        assertThatThrownBy(() -> new ProcessPlace(4, 4, 0, "node7", 29500)).hasMessageContaining("RANK is 4");
    }

    @Test
    void aSingleProcessExchangesNothing() {
        try (PointerScope scope = new PointerScope();
                ProcessGroup single = ProcessGroup.single()) {
            Tensor tensor = Tensors.of(new float[] {3}, 1);
            single.sum(tensor);
            assertThat(Tensors.toFloats(tensor)).containsExactly(3);
            assertThat(single.any(true)).isTrue();
            assertThat(single.group()).isNull();
        }
    }

    private static List<JavaProcess> run(int worldSize, String task, String recipe, int timeout, String... jvm) {
        int port = JavaProcess.freePort();
        List<JavaProcess> processGroup = new ArrayList<>();
        for (int rank = 0; rank < worldSize; rank++) {
            processGroup.add(start(rank, worldSize, port, task, recipe, timeout, jvm));
        }
        return processGroup;
    }

    private static JavaProcess start(
            int rank, int worldSize, int port, String task, String recipe, int timeout, String... jvm) {
        Map<String, String> environment =
                new java.util.HashMap<>(new ProcessPlace(rank, worldSize, rank, "127.0.0.1", port).toEnvironment());
        environment.put("JDK_JAVA_OPTIONS", String.join(" ", jvm));
        return JavaProcess.start(
                folder, ProcessGroupWorker.class, environment, task, recipe, Integer.toString(timeout));
    }
}
