package dev.diva.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LossChangeTest {
    @TempDir
    private Path folder;

    /** Losses of 40 steps are their numbers. */
    private LossChange change(String recipe) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int step = 0; step < 40; step++) {
            lines.append("{\"step\":")
                    .append(step)
                    .append(",\"loss\":")
                    .append(step)
                    .append("}\n");
        }
        Files.writeString(folder.resolve("metrics.jsonl"), lines);
        Files.writeString(folder.resolve("recipe.yaml"), recipe);
        return LossChange.read(folder).orElseThrow();
    }

    @Test
    void tenthsAreAveraged() throws IOException {
        LossChange change = change("train: {steps: 40}");
        assertThat(change.first()).isEqualTo((0 + 1 + 2 + 3) / 4.0);
        assertThat(change.last()).isEqualTo((36 + 37 + 38 + 39) / 4.0);
        assertThat(change.line()).isEqualTo("loss 1.50000 -> 37.50000, means of the first and last 4 of steps 0 to 39");
    }

    @Test
    void theProjectionsOwnStepsAreLeftOutAndMarked() throws IOException {
        LossChange change = change("train: {projectionSteps: 20}");
        assertThat(change.first()).isEqualTo(20.5);
        assertThat(change.last()).isEqualTo(38.5);
        assertThat(change.steps())
                .isEqualTo("means of the first and last 2 of steps 20 to 39; before, the projection learnt alone");
        Document page = Jsoup.parse(ReportWriter.render(java.util.List.of(folder)));
        assertThat(page.select(".tiles").text()).contains("20.5", "38.5", "of steps 20 to 39");
        assertThat(page.selectFirst(".curve").attr("data-alone")).isEqualTo("20");
        assertThat(page.text()).contains("in the first 20 steps, the projection learnt alone");
    }

    @Test
    void aRunOfNothingElseIsTold() throws IOException {
        LossChange change = change("train: {projectionSteps: 50}");
        assertThat(change.first()).isEqualTo(1.5, within(0.0));
        assertThat(change.steps()).endsWith("of steps 0 to 39, in which the projection learnt alone");
    }

    @Test
    void nothingIsSaidOfNoSteps() throws IOException {
        assertThat(LossChange.read(folder)).isEmpty();
        Files.writeString(folder.resolve("metrics.jsonl"), "");
        assertThat(LossChange.read(folder)).isEmpty();
    }
}
