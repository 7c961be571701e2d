package dev.diva;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Scripts and manifests that are shipped are at least well formed, and say the same as the program. */
class ExamplesTest {
    private static final Path ROOT = Path.of("..");

    @Test
    void everyShellScriptParses() throws Exception {
        for (String folder : List.of("examples", "faults")) {
            try (Stream<Path> files = Files.list(ROOT.resolve(folder))) {
                for (Path file : files.filter(p -> p.toString().matches(".*\\.(sh|sbatch)"))
                        .toList()) {
                    Process bash = new ProcessBuilder("bash", "-n", file.toString())
                            .redirectErrorStream(true)
                            .start();
                    String output =
                            new String(bash.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
                    assertThat(bash.waitFor()).as(file + ": " + output).isZero();
                }
            }
        }
    }

    @Test
    void theJobHasAsManyPodsAsItTellsTheProcesses() throws Exception {
        try (MappingIterator<JsonNode> documents = new YAMLMapper()
                .readerFor(JsonNode.class)
                .readValues(ROOT.resolve("examples/kubernetes.yaml").toFile())) {
            List<JsonNode> all = documents.readAll();
            assertThat(all).extracting(node -> node.path("kind").asText()).containsExactly("Service", "Job");
            JsonNode spec = all.get(1).path("spec");
            assertThat(spec.path("completionMode").asText()).isEqualTo("Indexed");
            JsonNode container = spec.at("/template/spec/containers/0");
            assertThat(container.at("/args/0").asText())
                    .contains("WORLD_SIZE=" + spec.path("completions").asInt())
                    .contains("MASTER_ADDR=" + all.get(1).at("/metadata/name").asText() + "-0."
                            + all.get(0).at("/metadata/name").asText());
            assertThat(spec.path("parallelism")).isEqualTo(spec.path("completions"));
        }
    }
}
