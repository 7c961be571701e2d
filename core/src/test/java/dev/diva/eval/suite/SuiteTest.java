package dev.diva.eval.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.cli.EvalCommand;
import dev.diva.clip.Clip;
import dev.diva.eval.Feature;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Tag("golden")
class SuiteTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path suite;
    private Path cells;

    @BeforeEach
    void writeSuite() throws IOException {
        cells = folder.resolve("scores");
        Path broken = Files.createDirectories(folder.resolve("broken/test"));
        Files.writeString(broken.resolve("nshards.txt"), "1");
        suite = Files.writeString(folder.resolve("suite.yaml"), """
                models:
                  - {name: one, path: '%s'}
                  - {name: two, path: '%s'}
                datasets:
                  - '%s'
                  - '%s'
                  - '%s'
                """.formatted(
                        Golden.path("clip-hf-vit"),
                        Golden.path("clip-hf-vit"),
                        Golden.path("zeroshot/classification"),
                        folder.resolve("broken"),
                        Golden.path("zeroshot/retrieval")));
    }

    private int run(String... more) {
        CommandLine command = new CommandLine(new EvalCommand());
        command.setOut(new PrintWriter(out, true));
        command.setErr(new PrintWriter(err, true));
        List<String> arguments =
                new java.util.ArrayList<>(List.of("all", "--suite", suite.toString(), "--out", cells.toString()));
        arguments.addAll(List.of(more));
        return command.execute(arguments.toArray(String[]::new));
    }

    @Test
    void brokenSetLosesItsOwnCellsAndTheCallEndsWithOne() throws IOException {
        assertThat(run()).isEqualTo(1);
        assertThat(err.toString()).contains("failed one on broken", "failed two on broken");
        JsonNode cell = new ObjectMapper()
                .readTree(Files.readAllBytes(cells.resolve("classification_one_zeroshot_classification.json")));
        assertThat(cell.path("dataset").asText()).isEqualTo("classification");
        assertThat(cell.path("model").asText()).isEqualTo("one");
        assertThat(cell.path("pretrained").asText())
                .isEqualTo(Golden.path("clip-hf-vit").toString());
        assertThat(cell.path("task").asText()).isEqualTo("zeroshot_classification");
        assertThat(cell.path("language").asText()).isEqualTo("en");
        double acc1 = cell.path("metrics").path("acc1").asDouble();
        String answers = cell.path("answers").path("acc1").asText();
        assertThat(answers.chars().filter(answer -> answer == '1').count())
                .isEqualTo(Math.round(acc1 * answers.length()));
        List<String> csv = Files.readAllLines(cells.resolve("scores.csv"));
        assertThat(csv).hasSize(5); // a header and four cells
        assertThat(csv.get(0)).startsWith("dataset,model,pretrained,task,language,acc1,acc1_low,acc1_high,");
        assertThat(csv.get(1)).contains("classification,one,", "," + acc1 + ",");
        assertThat(out.toString()).contains("| classification acc1 |", "(+0 -0, p = 1.00)", "image_retrieval_recall@5");
    }

    /** A class without images: in the cell, the CSV and the table, and below the score of a single command. */
    @Test
    void whatIsMissingStandsOnEveryRecord() throws IOException {
        Path data = Golden.path("zeroshot/classification");
        String words = Files.readString(data.resolve("classnames.txt")).strip();
        Path names = Files.writeString(folder.resolve("names.txt"), "\ufeff" + words + "\nunicorn\n");
        Files.writeString(suite, """
                \ufeffmodels: ['%s']
                datasets:
                  - {name: data, data: '%s', classnames: '%s'}
                """.formatted(Golden.path("clip-hf-vit"), data, names));
        String warning = "1 of " + (words.lines().count() + 1) + " classes have no image (unicorn)";
        assertThat(run()).isZero();
        assertThat(out.toString()).contains("* |", "\n* data: ", warning);
        assertThat(Files.readAllLines(cells.resolve("scores.csv")).get(1)).contains(warning);
        assertThat(cells.resolve("data_clip-hf-vit_zeroshot_classification.json"))
                .content()
                .contains(warning);
        out.getBuffer().setLength(0);
        CommandLine command = new CommandLine(new EvalCommand()).setOut(new PrintWriter(out, true));
        command.setErr(new PrintWriter(err, true));
        String model = Golden.path("clip-hf-vit").toString();
        assertThat(command.execute(
                        "zeroshot", "--clip", model, "--data", data.toString(), "--classnames", names.toString()))
                .isZero();
        assertThat(out.toString()).contains("  warning: " + data + ": " + warning);
    }

    @Test
    void existingCellsAreKeptAndMissingOnesComputed() throws IOException {
        run();
        Path kept = cells.resolve("classification_one_zeroshot_classification.json");
        Path lost = cells.resolve("retrieval_two_zeroshot_retrieval.json");
        String text = Files.readString(kept).replace("\"language\" : \"en\"", "\"language\" : \"xx\"");
        Files.writeString(kept, text);
        Files.delete(lost);
        run("--skip-existing");
        assertThat(kept).hasContent(text);
        assertThat(lost).exists();
        assertThat(err.toString()).contains("kept " + kept, "scored " + lost);
    }

    @Test
    void unknownKeyNamesTheNearest() throws IOException {
        Files.writeString(suite, Files.readString(suite).replace("datasets:", "dataset:"));
        assertThatThrownBy(() -> Suite.read(suite))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("unknown key dataset; did you mean datasets?");
    }

    @Test
    void twoEntriesOfOneNameAreAnError() throws IOException {
        Files.writeString(suite, Files.readString(suite).replace("name: two", "name: one"));
        assertThatThrownBy(() -> Suite.read(suite))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("two entries named one");
        Files.writeString(suite, Files.readString(suite).replaceFirst("name: one", "name: onä"));
        Files.writeString(suite, Files.readString(suite).replaceFirst("name: one", "name: onö"));
        assertThatThrownBy(() -> Suite.read(suite))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("two entries named onö and onä, which files cannot tell apart");
    }

    @Test
    @SuppressWarnings({"serial", "unchecked"}) // of the node that fails
    void memoryThatRunsOutLosesOneCell() {
        Suite read = Suite.read(suite);
        JsonNode hungry = new ObjectNode(JsonNodeFactory.instance) {
            @Override
            public JsonNode path(String key) {
                throw new OutOfMemoryError("Java heap space");
            }
        };
        Suite.DataEntry good = read.datasets().get(0);
        Suite.DataEntry bad = new Suite.DataEntry("hungry", good.folder(), good.tasks(), hungry);
        SuiteRun run = new SuiteRun(
                new Suite(read.models(), List.of(bad, good)),
                cells,
                new SuiteRun.Options(Clip.Options.DEFAULT, Feature.ZERO_SHOT, false, null, null));
        run.run(new SuiteRun.Listener() {
            @Override
            public void done(Path file, boolean computed) {}

            @Override
            public void failed(SuiteRun.Failure failure) {}
        });
        assertThat(run.failures()).hasSize(2).allMatch(failure -> failure.cause() instanceof OutOfMemoryError);
        assertThat(run.cells())
                .hasSize(2)
                .allMatch(cell -> cell.path("dataset").asText().equals(good.name()));
    }
}
