package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.stream.StreamSupport;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands from the outside: golden token ids, lines and exit codes. */
@Tag("golden")
@ExtendWith(OneThread.class)
class MllmCommandTest {
    private static final Golden HF = Golden.of("llava-hf");
    private static final Golden ORIGINAL = Golden.of("llava-original");

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void askGivesTheReferencesTokensInBothLayouts() throws IOException {
        String hub = HF.json("tokens.json").path("rendered").get(1).asText();
        JsonNode answer = json(
                "mllm",
                "ask",
                "--llava",
                HF.file("gqa").toString(),
                "--image",
                image(0),
                "--prompt",
                hub,
                "--image-aspect",
                "crop",
                "--max-new-tokens",
                "24",
                "--precision",
                "fp32",
                "--threads",
                "1",
                "--json");
        try (PointerScope scope = new PointerScope()) {
            assertThat(longs(answer.path("tokens")))
                    .containsExactly(Tensors.toLongs(HF.expected("gqa.run.1.0.greedy_cache")));
            assertThat(longs(answer.path("promptTokens")))
                    .containsExactly(Tensors.toLongs(HF.input("gqa.run.1.0.input_ids")));
        }
        String authors = ORIGINAL.json("prompts.json").path("prompts").get(0).asText();
        String question = authors.substring(authors.indexOf('\n') + 1, authors.lastIndexOf(" ASSISTANT:"));
        JsonNode padded = json(
                "mllm",
                "ask",
                "--llava",
                ORIGINAL.file("released").toString(),
                "--image",
                image(1),
                "--text",
                question,
                "--max-new-tokens",
                "24",
                "--precision",
                "fp32",
                "--threads",
                "1",
                "--json");
        try (PointerScope scope = new PointerScope()) {
            assertThat(longs(padded.path("tokens")))
                    .containsExactly(Tensors.toLongs(ORIGINAL.expected("released.run.0.1.greedy")));
        }
    }

    @Test
    void textIsStreamedAndIsThatOfTheJson() throws IOException {
        String[] ask = {
            "mllm",
            "ask",
            "--llava",
            HF.file("mha").toString(),
            "--text",
            "Why?",
            "--max-new-tokens",
            "9",
            "--precision",
            "fp32",
            "--threads",
            "1"
        };
        assertThat(run(ask)).isZero();
        String streamed = out.toString();
        String[] asJson = java.util.Arrays.copyOf(ask, ask.length + 1);
        asJson[ask.length] = "--json";
        assertThat(streamed).isEqualTo(json(asJson).path("text").asText() + System.lineSeparator());
    }

    @Test
    void whatIsWrongIsOneLineAndACode() {
        String llava = ORIGINAL.file("self-trained").toString();
        assertThat(run("mllm", "ask", "--llava", llava, "--text", "Why?")).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(err.toString().lines()).singleElement().asString().contains("--tower config");
        assertThat(run("mllm", "ask", "--llava", llava)).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(run("mllm", "ask", "--llava", llava, "--text", "a", "--image-aspect", "squash"))
                .isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(run("mllm", "ask", "--llava", folder.toString(), "--text", "a"))
                .isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(err.toString().lines()).singleElement().asString().contains("config.json");
        assertThat(run("mllm", "ask", "--llava", HF.file("mha").toString(), "--prompt", "<image>", "--threads", "1"))
                .isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(err.toString().lines()).singleElement().asString().contains("0 images are given");
    }

    @Test
    void swapWritesAFolderThatInspectTells() throws IOException {
        Path swapped = folder.resolve("swapped");
        String clip = ORIGINAL.file("clip").toString();
        JsonNode written = json(
                "mllm",
                "swap",
                "--llava",
                HF.file("mha").toString(),
                "--clip",
                clip,
                "--out",
                swapped.toString(),
                "--json");
        assertThat(written.path("layout").asText()).isEqualTo("llava-hf");
        JsonNode summary = json("inspect", swapped.toString(), "--json");
        assertThat(summary.path("format").asText()).isEqualTo("llava-hf");
        assertThat(summary.path("imageTokens").asLong()).isPositive();
        assertThat(run("inspect", ORIGINAL.file("released").toString())).isZero();
        assertThat(out.toString()).contains("llava, model", "parameters projector", "tokenizer.model");
    }

    private static String image(int index) {
        return HF.file("images/" + index + ".png").toString();
    }

    private JsonNode json(String... arguments) throws IOException {
        assertThat(run(arguments)).as(err::toString).isZero();
        return new ObjectMapper().readTree(out.toString());
    }

    private int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        CommandLine commands =
                Main.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return Main.run(commands, arguments);
    }

    private static long[] longs(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
    }
}
