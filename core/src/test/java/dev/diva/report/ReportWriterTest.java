package dev.diva.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.eval.PairScore;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page against the records that it is made from. */
class ReportWriterTest {
    @TempDir
    private Path folder;

    private static Path run() {
        try {
            return Path.of(ReportWriterTest.class.getResource("/report/run").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Document page(Path... sources) {
        return Jsoup.parse(ReportWriter.render(List.of(sources)));
    }

    private Path evaluation(String json) throws IOException {
        return Files.writeString(folder.resolve("scores.json"), json);
    }

    @Test
    void pairTableShowsTheCountsOfTheJson() {
        Document page = page(run());
        Evaluation before = EvaluationReader.read(run().resolve("evaluations/before-mmvp.json"));
        Evaluation after = EvaluationReader.read(run().resolve("evaluations/after-mmvp.json"));
        Element table = page.selectFirst("#pairs-1 table");
        assertThat(row(table, "All pairs")).contains("51 of 135", "60 of 135", "+6.7");
        before.results().get(0).patterns().forEach((pattern, score) -> {
            Score later = after.results().get(0).patterns().get(pattern);
            assertThat(row(table, pattern))
                    .contains(score.correct() + " of 15", later.correct() + " of 15", percent(score), percent(later))
                    .contains(Numbers.interval(score.interval()), Numbers.interval(later.interval()));
        });
        assertThat(table.select("tbody tr")).hasSize(11);
    }

    private static String percent(Score score) {
        return String.format(Locale.ROOT, "%.1f", 100 * score.value());
    }

    private static String row(Element table, String label) {
        return table.select("tbody tr").stream()
                .filter(row -> row.selectFirst("th").text().equals(label))
                .findFirst()
                .orElseThrow()
                .text();
    }

    @Test
    void headlineSaysPairsAndChance() {
        assertThat(page(run()).selectFirst("h1").text())
                .isEqualTo("9 more pairs of 135; p = 0.12: not distinguishable from chance");
    }

    @Test
    void markIsDrawnAtTheValueAndItsInterval() {
        Element track = page(run()).selectFirst("#pairs-1 .track");
        Interval interval = Interval.wilson(51, 135);
        assertThat(track.selectFirst("circle.s0").attr("cx")).isEqualTo("37.78%");
        assertThat(track.selectFirst("line.s0").attr("x1")).isEqualTo(Numbers.coordinate(interval.low()));
        assertThat(track.selectFirst("line.s0").attr("x2")).isEqualTo(Numbers.coordinate(interval.high()));
    }

    @Test
    void everySectionIsThereAndNamed() {
        Document page = page(run());
        assertThat(page.select("main h2").eachText())
                .containsExactly(
                        "What the figures show, and what they do not",
                        "Pairs by visual pattern pairs-test",
                        "Pairs that flipped",
                        "Linear probe",
                        "Retrieval",
                        "Zero-shot classification",
                        "What this CLIP sees",
                        "Training",
                        "Recipe and record");
        page.select("section")
                .forEach(section -> assertThat(page.getElementById(section.attr("aria-labelledby")))
                        .isNotNull());
        page.select("nav a")
                .forEach(
                        link -> assertThat(page.getElementById(link.attr("href").substring(1)))
                                .isNotNull());
        page.select("table")
                .forEach(table -> assertThat(table.select("caption")).hasSize(1));
        page.select("img").forEach(image -> assertThat(image.attr("alt")).isNotEmpty());
    }

    @Test
    void pageReachesForNothingOutsideItself() {
        Document page = page(run());
        assertThat(page.select("link[href], script[src], img[src], iframe, object"))
                .allSatisfy(element ->
                        assertThat(element.attr("href") + element.attr("src")).startsWith("data:"));
        assertThat(page.html()).doesNotContain("@import url").hasSizeLessThan(1_500_000);
    }

    @Test
    void statementsAreTextNeverMarkup() {
        Document page = page(run());
        assertThat(page.select("script")).hasSize(2);
        assertThat(page.select("figcaption").eachText())
                .anyMatch(text -> text.startsWith("a sign that says <script>alert(\"A\")</script> & \"A\""));
    }

    @Test
    void curveDataCannotCloseItsScript() {
        Curve curve = new Curve("loss", "</script><b>", List.of(1.0), List.of(2.0));
        RunSection run = new RunSection("r", List.of(curve), null, "", Map.of(), Map.of(), List.of(), List.of(), "");
        ReportPage page = new ReportPage(
                "t", "h", Verdict.Tone.UNCLEAR, List.of(), List.of(), List.of(), List.of(), List.of(run));
        assertThat(Jsoup.parse(ReportWriter.render(page)).select("script")).hasSize(2);
    }

    @Test
    void missingPartsAreLeftOut() throws IOException {
        Document page =
                page(evaluation("{\"task\":\"zeroshot\",\"results\":[{\"model\":\"a\",\"metrics\":{\"acc1\":0.5}}]}"));
        assertThat(page.select("main h2").eachText()).containsExactly("Zero-shot classification");
        assertThat(page.selectFirst("tbody tr").text()).isEqualTo("Top-1 accuracy 50.0");
        assertThat(page.select("th").eachText()).doesNotContain("Change");
    }

    @Test
    void statedTestIsPreferredToACountedOne() throws IOException {
        Document page = page(evaluation("""
                {"task":"mmvp","results":[
                  {"model":"a","data":"d","pairsCorrect":40,"pairs":135},
                  {"model":"b","data":"d","pairsCorrect":60,"pairs":135}],
                 "tests":[{"data":"d","first":"a","second":"b","gained":25,"lost":5,"p":0.0003}]}"""));
        assertThat(page.selectFirst("h1").text()).isEqualTo("20 more pairs of 135; p < 0.001: unlikely to be chance");
        assertThat(page.selectFirst("table.test tbody").text()).isEqualTo("25 5 3.000e-04");
    }

    @Test
    void answersGainedAndLostAreToldForEveryTestedMetric() throws IOException {
        Document page = page(evaluation("""
                {"task":"retrieval","results":[
                  {"model":"a","data":"x/coco","metrics":{"image_retrieval_recall@5":0.5,"text_retrieval_recall@5":0.5}},
                  {"model":"b","data":"x/coco","metrics":{"image_retrieval_recall@5":0.6,"text_retrieval_recall@5":0.4}}],
                 "tests":[{"data":"x/coco image_retrieval_recall@5","first":"a","second":"b","gained":25,"lost":5,"p":0.0003},
                          {"data":"x/coco text_retrieval_recall@5","first":"a","second":"b","gained":3,"lost":4,"p":1}]}"""));
        assertThat(page.selectFirst("#reading").text())
                .contains("The largest fall is Coco, text recall@5", "The largest rise is Coco, image recall@5");
        assertThat(page.select("#scores-1 table.test tbody tr").eachText())
                .containsExactly("Coco, image recall@5 25 5 3.000e-04", "Coco, text recall@5 3 4 1");
    }

    @Test
    void dataReportIsInWords() throws IOException {
        Files.writeString(folder.resolve("recipe.yaml"), "seed: 1");
        Files.writeString(folder.resolve("data.json"), """
                {"images": 12, "paddedShare": 0.25, "unreadable": [{"name": "a.png", "reason": "cut"}], "nearDuplicates": []}""");
        assertThat(page(folder).select("#run-0-record table.facts tr").eachText())
                .containsExactly(
                        "Images 12",
                        "With a white or black border 25.0 %",
                        "Cannot be read › 1 › name a.png",
                        "Cannot be read › 1 › reason cut",
                        "The same look none");
    }

    /** The page reads what {@code diva eval} writes, field by field, and shows its warnings. */
    @Test
    void recordOfEvalIsReadWhole() throws IOException {
        var question = new dev.diva.eval.Question(
                "1-2", "Texts", List.of("1.jpg", "2.jpg"), List.of("A", "B"), List.of(1, 1), List.of(0.2, -0.1), false);
        var pairs = new PairScore(3, 10);
        var gallery = new dev.diva.eval.Gallery(
                "What changed",
                "One.",
                List.of(new dev.diva.eval.Gallery.Row(
                        "better",
                        List.of("it"),
                        List.of(run().resolve("images/015-1.png").toString()))));
        var result = new dev.diva.eval.Result(
                "m",
                "d",
                Map.of("average", 0.3),
                Map.of("average", pairs.interval()),
                Map.of(),
                new dev.diva.eval.PairResult(Map.of("Texts", pairs), pairs, List.of(question)),
                List.of("10 pairs, expected 135"),
                Map.of(),
                Map.of(),
                List.of(),
                gallery);
        Path file = evaluation(new dev.diva.eval.Evaluation("mmvp", List.of(result), List.of())
                .toJson()
                .toString());
        Result read = EvaluationReader.read(file).results().get(0);
        assertThat(read.patterns().get("Texts").correct()).isEqualTo(3);
        assertThat(read.questions().get(0).margins()).containsExactly(0.2, -0.1);
        assertThat(read.pairs().interval().low())
                .isCloseTo(Interval.wilson(3, 10).low(), within(1e-9));
        assertThat(read.gallery().title()).isEqualTo("What changed");
        assertThat(read.gallery().items().get(0).images().get(0).uri()).startsWith("data:image/");
        assertThat(page(file).selectFirst("#reading").text()).contains("10 pairs, expected 135");
        assertThat(page(file).selectFirst("h1").text()).isEqualTo("3 of 10 pairs, 30.0 %");
    }

    @Test
    void brokenJsonNamesTheFile() throws IOException {
        Path file = evaluation("{\"task\":");
        assertThatThrownBy(() -> ReportWriter.render(List.of(file)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("scores.json");
    }

    @Test
    void folderThatIsNoRunSaysWhatWasExpected() {
        assertThatThrownBy(() -> ReportWriter.render(List.of(folder)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("recipe.yaml");
    }

    @Test
    void writtenPageIsTheRenderedOne() throws IOException {
        Path file = folder.resolve("report.html");
        ReportWriter.write(List.of(run()), file);
        assertThat(Files.readString(file)).isEqualTo(ReportWriter.render(List.of(run())));
        assertThat(folder.resolve("report.html.partial")).doesNotExist();
    }
}
