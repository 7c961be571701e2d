package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import dev.diva.testing.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands whose work processes share give what one process gives. */
class SharedCommandsTest {
    @TempDir
    Path folder;

    @Test
    void embeddingsOfTwoProcessesHaveTheBytesOfOne() throws IOException {
        Path one = folder.resolve("one.safetensors");
        Path two = folder.resolve("two.safetensors");
        JsonNode alone = encode(one, 1);
        assertThat(((com.fasterxml.jackson.databind.node.ObjectNode) encode(two, 2)).put("out", one.toString()))
                .isEqualTo(alone);
        assertThat(Files.readAllBytes(two)).isEqualTo(Files.readAllBytes(one));
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.filter(file -> file.toString().contains(".part-"))).isEmpty();
        }
    }

    @Test
    void latentsOfTwoProcessesAreThoseOfOne() throws IOException {
        JsonNode one = cache("one", 1);
        JsonNode two = cache("two", 2);
        assertThat(two.path("latents")).isEqualTo(one.path("latents"));
        assertThat(latents(folder.resolve("two"))).isEqualTo(latents(folder.resolve("one")));
    }

    @Test
    void scoresOfTwoProcessesAreThoseOfOne() {
        JsonNode two = score(2);
        JsonNode one = score(1);
        assertThat(one.path("pairs").asInt()).isPositive();
        for (String key : List.of("patterns", "pairsCorrect")) {
            assertThat(two.path(key)).as(key).isEqualTo(one.path(key));
        }
        for (String key : List.of("metrics", "intervals")) {
            assertThat(two.path(key).size()).isEqualTo(one.path(key).size());
            one.path(key).fieldNames().forEachRemaining(name -> requireSame(name, two.path(key), one.path(key)));
        }
    }

    /** Two measures are means of margins, which differ by rounding. */
    private static void requireSame(String name, JsonNode found, JsonNode expected) {
        if (!List.of("sig", "bias").contains(name)) {
            assertThat(found.path(name)).as(name).isEqualTo(expected.path(name));
        } else if (expected.path(name).isArray()) {
            for (int i = 0; i < 2; i++) {
                assertThat(found.path(name).path(i).asDouble())
                        .isCloseTo(expected.path(name).path(i).asDouble(), within(1e-7));
            }
        } else {
            assertThat(found.path(name).asDouble())
                    .isCloseTo(expected.path(name).asDouble(), within(1e-7));
        }
    }

    private JsonNode score(int processes) {
        return run(
                        "eval",
                        "mmvp",
                        "--clip",
                        Golden.model("clip-hf-vit").toString(),
                        "--data",
                        Golden.model("mmvp-vlm/MMVP_VLM").toString(),
                        "--json",
                        "--processes",
                        Integer.toString(processes))
                .path("results")
                .path(0);
    }

    @Test
    void doctorMeasuresTheExchange() {
        JsonNode facts = run("doctor", "--processes", "2", "--json");
        assertThat(facts.path("processes").asInt()).isEqualTo(2);
        assertThat(facts.path("exchangeMicroseconds").asDouble()).isBetween(1.0, 1e7);
        assertThat(facts.path("exchangeMegabytesPerSecond").asDouble()).isBetween(1.0, 1e6);
    }

    private JsonNode encode(Path out, int processes) {
        return run(
                "encode",
                "--clip",
                Golden.model("clip-hf-vit").toString(),
                "--text",
                "a cat",
                "a dog",
                "--batch",
                "2",
                "--threads",
                "1",
                "--precision",
                "fp32",
                "--images",
                Golden.model("preprocess/files").toString(),
                "--out",
                out.toString(),
                "--tokens",
                "--json",
                "--processes",
                Integer.toString(processes));
    }

    private JsonNode cache(String name, int processes) {
        return run(
                "cache",
                "--diffusion",
                Golden.model("sd21").toString(),
                "--images",
                Golden.model("preprocess/files").toString(),
                "--crops",
                "2",
                "--set",
                "resolution=64",
                "--set",
                "precision=fp32",
                "--set",
                "threads=1",
                "--out",
                folder.resolve(name).toString(),
                "--json",
                "--processes",
                Integer.toString(processes));
    }

    /** The JSON that a command prints: its last line. */
    private JsonNode run(String... arguments) {
        JavaProcess process = JavaProcess.start(folder, Main.class, Map.of(), arguments);
        assertThat(process.await(180)).as(process.output()).isZero();
        String output = process.output();
        try {
            return new ObjectMapper().readTree(output.substring(output.indexOf('{'), output.lastIndexOf('}') + 1));
        } catch (IOException e) {
            throw new AssertionError(output, e);
        }
    }

    private static Map<String, List<Float>> latents(Path cache) throws IOException {
        Map<String, List<Float>> latents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(cache)) {
            for (Path shard : files.filter(file -> file.toString().endsWith(".safetensors"))
                    .toList()) {
                try (PointerScope scope = new PointerScope();
                        SafetensorsFile file = SafetensorsFile.open(shard)) {
                    for (TensorInfo info : file.tensors()) {
                        List<Float> values = new ArrayList<>();
                        for (float value : Tensors.toFloats(file.read(info.name()))) {
                            values.add(value);
                        }
                        latents.put(info.name(), values);
                    }
                }
            }
        }
        return latents;
    }
}
