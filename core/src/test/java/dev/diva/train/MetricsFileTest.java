package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.GpuMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTest {
    @TempDir
    Path folder;

    @Test
    void resumedFileHoldsEachStepOnceInFullPrecision() throws Exception {
        Path file = folder.resolve("metrics.jsonl");
        MetricsFile killed = new MetricsFile(file, 0);
        for (int step = 0; step < 3; step++) {
            killed.stepDone(record(step));
        }
        Files.writeString(file, "{\"step\": 3, \"lo", StandardOpenOption.APPEND);
        new MetricsFile(file, 2).stepDone(record(2));
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(3);
        JsonNode last = new ObjectMapper().readTree(lines.get(2));
        assertThat(last.get("step").asLong()).isEqualTo(2);
        assertThat(last.get("losses").get(0).asDouble()).isEqualTo(1 / 3.0);
        assertThat(last.get("loss").asDouble()).isEqualTo((1 / 3.0 + 0.5) / 2);
        assertThat(last.get("guard").asDouble()).isEqualTo(0.1);
        assertThat(last.get("images").asLong()).isEqualTo(12);
        assertThat(last.get("imagesPerSecond").asDouble()).isEqualTo(8);
        assertThat(last.get("rssBytes").asLong()).isGreaterThan(1 << 20);
    }

    @Test
    void memoryIsThatOfTheGpuToo() {
        assertThat(MemoryUse.of(5, Optional.empty())).containsExactly(Map.entry("rssBytes", 5L));
        assertThat(MemoryUse.of(5, Optional.of(new GpuMemory(1, 2, 3, 4))))
                .containsExactly(
                        Map.entry("rssBytes", 5L),
                        Map.entry("gpuPeakBytes", 3L),
                        Map.entry("gpuReservedPeakBytes", 4L));
        assertThat(MemoryUse.now()).containsOnlyKeys("rssBytes");
    }

    private static StepRecord record(long step) {
        return new StepRecord(step, List.of(1 / 3.0, 0.5), Map.of("guard", 0.1), 1, 0.1, 0.5, 4);
    }
}
