package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.eval.McNemar;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose results are known models: the untouched one itself (A), or another tower (B). */
@Tag("golden")
class CompareCommandTest {
    private static final double T_OF_TWO = 12.706204736174698; // 97.5 % point of Student's t with one degree of freedom

    @TempDir
    private Path folder;

    private final Path a = Golden.path("clip-hf-vit");
    private final Path b = Golden.path("clip-hf-vit-gelu");
    private Path suite;

    @BeforeEach
    void writeSuite() throws IOException {
        Path template = Files.writeString(folder.resolve("template.txt"), "a photo of a {c}.");
        suite = Files.writeString(
                folder.resolve("suite.yaml"), """
                models: ['not/there']
                datasets:
                  - {name: set.v2, data: '%s', templates: '%s'}
                """.formatted(Golden.path("zeroshot/classification"), template));
    }

    /** Two steps of 6 images at 0.5 images a second. */
    private Path run(String name, Path untouched, Path result, String keys) throws IOException {
        Path run = Files.createDirectories(folder.resolve(name));
        Files.writeString(run.resolve("recipe.yaml"), "clip: '" + untouched + "'\nformat: null\n" + keys);
        Files.writeString(run.resolve("manifest.json"), "{\"finished\": \"2026-01-01T00:00:00Z\"}");
        Files.writeString(run.resolve("metrics.jsonl"), """
                {"step":0,"images":6,"imagesPerSecond":0.5,"rssBytes":3221225472}
                {"step":1,"images":12,"imagesPerSecond":0.5,"rssBytes":1073741824}
                """);
        Path clip = Files.createDirectories(run.resolve("clip"));
        try (Stream<Path> files = Files.list(result)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, clip.resolve(file.getFileName()));
            }
        }
        return run;
    }

    private TrainRuns.Outcome compare(List<Path> sources, String... more) {
        List<String> arguments = new ArrayList<>(List.of("compare"));
        sources.forEach(source -> arguments.add(source.toString()));
        arguments.addAll(List.of("--suite", suite.toString(), "--out", out().toString()));
        arguments.addAll(List.of(more));
        return TrainRuns.run(arguments.toArray(String[]::new));
    }

    private Path out() {
        return folder.resolve("out");
    }

    private static JsonNode json(TrainRuns.Outcome outcome) throws IOException {
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return new ObjectMapper().readTree(outcome.out());
    }

    private static JsonNode score(JsonNode node, String metric) {
        return IntStream.range(0, node.path("scores").size())
                .mapToObj(node.path("scores")::get)
                .filter(score -> score.path("metric").asText().equals(metric))
                .findFirst()
                .orElseThrow();
    }

    private JsonNode cell(Path model) throws IOException {
        String name =
                "set.v2_" + model.toString().replaceAll("[^A-Za-z0-9._@-]", "-") + "_zeroshot_classification.json";
        return new ObjectMapper()
                .readTree(Files.readAllBytes(out().resolve("cells").resolve(name)));
    }

    private static boolean[] answers(JsonNode cell) {
        String digits = cell.path("answers").path("acc1").asText();
        boolean[] answers = new boolean[digits.length()];
        IntStream.range(0, answers.length).forEach(i -> answers[i] = digits.charAt(i) == '1');
        return answers;
    }

    @Test
    void seedsOfOneRecipeAreARowAndAnotherMethodIsAnother() throws IOException {
        Path same = run("same", a, a, "seed: 1\nworkers: 2\n");
        Path changed = run("changed", a, b, "seed: 2\nworkers: 4\n");
        Path other = run("other", a, b, "objective: dcr\npreset: dcr-published\nseed: 1\n");
        JsonNode root = json(compare(List.of(same, changed, other, a), "--json", "--max-loss", "set.v2.acc1=0.5"));
        assertThat(root.path("untouched").asText()).isEqualTo(a.toString());
        JsonNode rows = root.path("methods");
        assertThat(rows).hasSize(2);
        assertThat(rows.get(0).path("name").asText()).isEqualTo("diva corrected");
        assertThat(rows.get(0).path("seeds")).hasToString("[1,2]");
        assertThat(rows.get(1).path("name").asText()).isEqualTo("dcr-published");

        double before = cell(a).path("metrics").path("acc1").asDouble();
        double after = cell(other.resolve("clip")).path("metrics").path("acc1").asDouble();
        JsonNode seeds = score(rows.get(0), "acc1");
        double half = T_OF_TWO * Math.abs(after - before) / 2; // sd of two values: their distance / sqrt 2
        assertThat(seeds.path("value").asDouble()).isCloseTo((before + after) / 2, within(1e-12));
        assertThat(seeds.path("change").asDouble()).isCloseTo((after - before) / 2, within(1e-12));
        assertThat(seeds.path("changeInterval").get(0).asDouble()).isCloseTo((after - before) / 2 - half, within(1e-9));
        assertThat(seeds.path("interval").get(1).asDouble()).isCloseTo((before + after) / 2 + half, within(1e-9));
        assertThat(seeds.path("tests")).hasSize(2);

        McNemar test = McNemar.of(answers(cell(a)), answers(cell(other.resolve("clip"))));
        JsonNode single = score(rows.get(1), "acc1");
        assertThat(single.path("change").asDouble()).isEqualTo(after - before);
        assertThat(single.path("tests").get(0).path("gained").asInt()).isEqualTo(test.gained());
        assertThat(single.path("tests").get(0).path("p").asDouble()).isEqualTo(test.p());
        assertThat(single.path("interval").get(0))
                .isEqualTo(cell(other.resolve("clip"))
                        .path("intervals")
                        .path("acc1")
                        .get(0));
        assertThat(single.path("changeInterval").get(0).asDouble()).isLessThanOrEqualTo(after - before);
        assertThat(single.path("changeInterval").get(1).asDouble()).isGreaterThanOrEqualTo(after - before);

        JsonNode gate = rows.get(1).path("gates").get(0);
        assertThat(gate.path("loss").asDouble()).isCloseTo(100 * (before - after), within(1e-9));
        assertThat(gate.path("tooMuch").asBoolean()).isEqualTo(100 * (before - after) > 0.5);
        JsonNode cost = rows.get(1).path("costs").get(0);
        assertThat(cost.path("steps").asDouble()).isEqualTo(2);
        assertThat(cost.path("images").asDouble()).isEqualTo(12);
        assertThat(cost.path("hours").asDouble()).isCloseTo(24 / 3600.0, within(1e-12));
        assertThat(cost.path("peakBytes").asDouble()).isEqualTo(3.0 * (1L << 30));
    }

    @Test
    void filesAndPageHoldTheSameFigures() throws IOException {
        TrainRuns.Outcome outcome = compare(List.of(a, b), "--max-loss", "set.v2.acc1=0");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode root = new ObjectMapper().readTree(Files.readAllBytes(out().resolve("compare.json")));
        JsonNode row = root.path("methods").get(0);
        String value = String.format(
                Locale.ROOT, "%.1f", 100 * score(row, "acc1").path("value").asDouble());
        assertThat(outcome.out()).contains("set.v2 acc1", b.getFileName().toString(), value);
        List<String> csv = Files.readAllLines(out().resolve("compare.csv"));
        assertThat(csv.get(0)).startsWith("method,dataset,task,metric,value,low,high,change,");
        assertThat(csv)
                .anyMatch(line -> line.startsWith(b.getFileName() + ",set.v2,zeroshot_classification,acc1,"
                        + score(row, "acc1").path("value").asDouble()));
        Document page = Jsoup.parse(Files.readString(out().resolve("compare.html")));
        assertThat(page.select("#tables table").get(0).text()).contains("untouched", value);
        boolean tooMuch = row.path("paysTooMuch").asBoolean();
        assertThat(page.text().contains("pays too much")).isEqualTo(tooMuch);
        assertThat(outcome.out().contains("pays too much")).isEqualTo(tooMuch);
    }

    @Test
    void gainStandsAgainstHoursOnThePage() throws IOException {
        Path run = run("run", a, b, "seed: 1\n");
        assertThat(compare(List.of(run)).code()).isZero();
        Document page = Jsoup.parse(Files.readString(out().resolve("compare.html")));
        assertThat(page.select("#gain-hours svg.track circle")).hasSize(1);
        assertThat(page.select("#gain-hours .axis.below").text()).isEqualTo("hours");
    }

    /** Two steps of 6 images take 24 s; the price of a run of two stages is that of both. */
    @Test
    void aFirstStageCosts() throws IOException {
        Path first = run("first", a, a, "stage: 1\n");
        Path named = run("named", a, b, "objective: genhancer\nseed: 1\nstage1: '" + first + "'\n");
        Path file = first.resolve("stage1/projectors.safetensors");
        Path projector = run("projector", a, b, "objective: dcr\nseed: 1\nprojectors: '" + file + "'\n");
        Path second = run("second", a, a, "stage: 1\nseed: 2\n");
        Path repeated = run("repeated", a, b, "objective: genhancer\nseed: 2\nstage1: '" + second + "'\n");
        Path elsewhere = run("elsewhere", a, b, "objective: dcr\nseed: 2\nprojectors: 'p.safetensors'\n");
        TrainRuns.Outcome outcome = compare(List.of(named, projector, elsewhere, repeated), "--json");
        JsonNode rows = json(outcome).path("methods");
        assertThat(rows).hasSize(3);
        assertThat(rows.get(0).path("seeds")).hasToString("[1,2]");
        for (int i = 0; i < 3; i++) {
            JsonNode cost = rows.get(i).path("costs").get(0);
            double stages = i == 2 ? 1 : 2;
            assertThat(cost.path("steps").asDouble()).isEqualTo(2 * stages);
            assertThat(cost.path("images").asDouble()).isEqualTo(12 * stages);
            assertThat(cost.path("hours").asDouble()).isCloseTo(stages * 24 / 3600, within(1e-12));
            assertThat(cost.path("peakBytes").asDouble()).isEqualTo(3.0 * (1L << 30));
        }
        assertThat(outcome.err()).contains("warning: " + elsewhere + ": its price is that of stage 2 alone");
        assertThat(outcome.err()).doesNotContain("warning: " + projector);
    }

    @Test
    void cellsOfAnEarlierCallAreKept() throws IOException {
        compare(List.of(a, b));
        TrainRuns.Outcome again = compare(List.of(a, b), "--skip-existing");
        assertThat(again.code()).isZero();
        assertThat(again.err().lines()).hasSize(2).allMatch(line -> line.startsWith("kept "));
    }

    private void refused(TrainRuns.Outcome outcome, String... words) {
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(outcome.err().lines().filter(line -> line.startsWith("diva: ")))
                .hasSize(1);
        assertThat(outcome.err()).contains(words);
        assertThat(out().resolve("compare.csv")).doesNotExist();
    }

    @Test
    void unfinishedRun() throws IOException {
        Path run = run("run", a, b, "seed: 1\n");
        Files.writeString(run.resolve("manifest.json"), "{}");
        refused(compare(List.of(run)), run.toString(), "not finished");
    }

    @Test
    void runsOfDifferentUntouchedModels() throws IOException {
        Path first = run("first", a, b, "seed: 1\n");
        Path second = run("second", b, a, "seed: 1\n");
        refused(compare(List.of(first, second)), second + ": started from " + b, a.toString());
    }

    @Test
    void oneSeedTwice() throws IOException {
        Path first = run("first", a, b, "seed: 1\n");
        Path second = run("second", a, b, "seed: 1\n");
        refused(compare(List.of(first, second)), second + ": has the recipe and the seed of " + first);
    }

    @Test
    void gateOnAMetricThatNoCellHas() {
        refused(compare(List.of(a, b), "--max-loss", "set.v2.acc2=1"), "no cell has the metric acc2", "acc1, acc5");
    }

    @Test
    void gateOnADataSetThatTheSuiteLacks() {
        refused(compare(List.of(a, b), "--max-loss", "set.acc1=1"), "no data set set; nearest: set.v2");
    }

    @Test
    void gateThatIsNone() {
        for (String text : List.of("set.v2.acc1", "acc1=1", "set.v2.acc1=-1", "set.v2.acc1=much", ".acc1=1")) {
            assertThat(compare(List.of(a, b), "--max-loss", text).code())
                    .as(text)
                    .isEqualTo(2);
        }
    }

    @Test
    void modelWithoutTexts() throws IOException {
        Path run = run("run", a, b, "seed: 1\n");
        Path config = run.resolve("clip/config.json");
        ObjectNode tree = (ObjectNode) new ObjectMapper().readTree(Files.readAllBytes(config));
        ObjectNode vision = (ObjectNode) tree.path("vision_config");
        vision.put("model_type", "clip_vision_model").set("projection_dim", tree.path("projection_dim"));
        Files.writeString(config, vision.toString());
        refused(compare(List.of(run)), run.resolve("clip") + ": has no text tower, which data set set.v2 needs");
    }

    @Test
    void modelAloneAndModelThatIsNotThere() {
        refused(compare(List.of(a)), a + ": nothing to compare it with");
        refused(compare(List.of(a, folder.resolve("gone"))), "gone: no such run folder or model");
    }
}
