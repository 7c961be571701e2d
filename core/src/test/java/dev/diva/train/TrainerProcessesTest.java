package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.engine.ProcessPlace;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.JavaProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainerProcessesTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"loss, loss is NaN", "gradient, gradient of w is not finite"})
    void notANumberOnOneRankStopsAllBeforeTheUpdateWithOneLineThatNamesIt(String what, String told) {
        Path checkpoints = folder.resolve("checkpoints");
        int port = JavaProcess.freePort();
        List<JavaProcess> ranks = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            ProcessPlace place = new ProcessPlace(rank, 2, rank, "127.0.0.1", port);
            ranks.add(
                    JavaProcess.start(folder, TrainerRank.class, place.toEnvironment(), checkpoints.toString(), what));
        }
        float good = 1; // each step before the bad one took a tenth
        for (int step = 0; step < TrainerRank.BAD_STEP; step++) {
            good -= 0.1f * good;
        }
        float[] expected = {good, good, good};
        List<String> weights = new ArrayList<>();
        for (JavaProcess rank : ranks) {
            assertThat(rank.await(90)).as(rank.output()).isEqualTo(1);
            assertThat(rank.output().lines())
                    .contains("error: rank 1: " + told
                            + " in step 3, images image-7; the weights are those from before this"
                            + " step, last checkpoint: step-00000003. Try a lower rate");
            weights.add(rank.output()
                    .lines()
                    .filter(line -> line.startsWith("weights"))
                    .findFirst()
                    .orElseThrow());
        }
        assertThat(weights.get(1)).isEqualTo(weights.get(0)).doesNotContain("NaN");
        Path newest = new Checkpoints(checkpoints, 2).newestIntact().orElseThrow();
        assertThat(newest).hasFileName("step-00000003");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(newest.resolve("masters.safetensors"))) {
            float[] saved = Tensors.toFloats(file.read("w"));
            Close.assertClose(saved, expected, 1e-5, 0);
            assertThat(weights.get(0)).isEqualTo("weights " + java.util.Arrays.toString(saved));
        }
    }
}
