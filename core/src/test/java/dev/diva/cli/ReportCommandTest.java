package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command line of {@code diva report}. */
class ReportCommandTest {
    @TempDir
    private Path folder;

    private final StringWriter printed = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new ReportCommand())
                .setOut(new PrintWriter(printed, true))
                .setErr(new PrintWriter(new StringWriter(), true))
                .execute(arguments);
    }

    @Test
    void oneRunGetsItsPageInItsFolder() throws IOException {
        Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\": 1, \"loss\": 0.25}\n");
        assertThat(run(folder.toString())).isZero();
        assertThat(printed.toString().strip())
                .isEqualTo(folder.resolve("report.html").toString());
        assertThat(folder.resolve("report.html"))
                .content()
                .contains("<dt>Loss</dt>")
                .contains(">0.2500<");
    }

    @Test
    void jsonNamesThePage() throws IOException {
        Path scores = Files.writeString(
                folder.resolve("a.json"), "{\"results\": [{\"model\": \"m\", \"metrics\": {\"acc1\": 0.5}}]}");
        Path page = folder.resolve("page.html");
        assertThat(run(scores.toString(), "--out", page.toString(), "--json")).isZero();
        assertThat(printed.toString()).contains("\"report\"").contains("page.html");
        assertThat(page).isRegularFile();
    }

    @Test
    void noRunIsWrongUsage() {
        assertThat(run()).isEqualTo(2);
    }
}
