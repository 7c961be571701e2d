package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.data.ImageDecoder;
import dev.diva.data.RasterImage;
import dev.diva.eval.mllm.Benchmark;
import dev.diva.eval.mllm.Item;
import dev.diva.eval.mllm.Prompts;
import dev.diva.language.Generation;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.ImageTokens;
import dev.diva.mllm.Llava;
import dev.diva.mllm.LlavaSwap;
import dev.diva.mllm.PromptTemplate;
import dev.diva.testing.Golden;
import dev.diva.testing.JavaProcess;
import dev.diva.testing.OneThread;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** LLaVAs and recorded answers through the command, on tiny benchmarks with pictures of our own. */
@Tag("golden")
@ExtendWith(OneThread.class)
class EvalMllmCommandTest {
    private static final int TOKENS = 5;

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path root;
    private Path answers;

    @BeforeEach
    void writeBenchmarks() throws IOException {
        root = folder.resolve("root");
        answers = folder.resolve("answers");
        writeBenchmarks(2);
    }

    /** So many lines of every category of POPE and two pairs of MMVP. */
    private void writeBenchmarks(int lines) throws IOException {
        for (String category : List.of("random", "popular", "adversarial")) {
            Path labels = root.resolve("pope/coco/coco_pope_" + category + ".json");
            copyLines(scores().resolve("pope/coco").resolve(labels.getFileName()), labels, lines);
        }
        copyLines(scores().resolve("mmvp/Questions.csv"), root.resolve("mmvp/Questions.csv"), 5);
        int shade = 40;
        for (Benchmark benchmark : List.of(Benchmark.POPE, Benchmark.MMVP)) {
            for (Item item : benchmark.read(root, Prompts.LLAVA).items()) {
                picture(item.picture().file(), shade += 30);
            }
        }
    }

    private static void copyLines(Path from, Path to, int lines) throws IOException {
        Files.createDirectories(to.getParent());
        List<String> all = Files.readAllLines(from);
        Files.write(to, all.subList(0, Math.min(lines, all.size())));
    }

    /** Not square, so that padding tells. */
    private static void picture(Path file, int shade) throws IOException {
        Files.createDirectories(file.getParent());
        BufferedImage image = new BufferedImage(48, 31, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 48 * 31; i++) {
            image.setRGB(i % 48, i / 48, i * shade * 977 & 0xffffff);
        }
        ImageIO.write(image, "png", file.toFile());
    }

    private static String llava(String layout) {
        return Golden.path(layout.equals("hub") ? "llava-hf/gqa" : "llava-original/released")
                .toString();
    }

    private static String tower() {
        return Golden.path("llava-original/clip").toString();
    }

    /** Each question alone, its image seen anew, nothing shared with the question before: the same answers. */
    @ParameterizedTest
    @CsvSource({"hub, llava, pad", "authors, llava, pad", "hub, vlmevalkit, crop"})
    void answersAreThoseOfTheModelWithoutSharedPrefixes(String layout, String prompts, String aspect)
            throws IOException {
        JsonNode record =
                json(answering(layout, "mmvp,pope", "--prompts", prompts, "--image-aspect", aspect, "--json"));
        assertThat(record.path("results")).hasSize(2);
        PromptTemplate template = prompts.equals("llava") ? PromptTemplate.VICUNA_V1 : PromptTemplate.VLMEVALKIT;
        ImageAspect square = aspect.equals("pad") ? ImageAspect.PAD : ImageAspect.CROP;
        try (Llava llava = Llava.load(Path.of(llava(layout)), Llava.Options.DEFAULT)) {
            for (Benchmark benchmark : List.of(Benchmark.MMVP, Benchmark.POPE)) {
                List<JsonNode> lines = lines(answerFile(layout, benchmark));
                List<Item> items = benchmark
                        .read(root, Prompts.named(prompts).orElseThrow())
                        .items();
                assertThat(lines).hasSameSizeAs(items);
                for (int i = 0; i < items.size(); i++) {
                    Item item = items.get(i);
                    RasterImage picture = ImageDecoder.reference()
                            .decode(item.picture().read(), item.picture().name());
                    try (ImageTokens image = llava.image(picture, square)) {
                        String text = llava.answer(template.ask(item.asked(), true), image, Generation.greedy(TOKENS))
                                .text();
                        JsonNode line = lines.get(i);
                        assertThat(line.path("question_id")).isEqualTo(item.id());
                        assertThat(line.path(benchmark == Benchmark.MMVP ? "response" : "text")
                                        .asText())
                                .isEqualTo(text);
                    }
                }
            }
        }
    }

    /** A tower in memory answers as the folder does that has it inside; the LLaVA itself is what it is tested against. */
    @Test
    void towersMakeFurtherModelsThatAreTestedAgainstTheFirst() throws IOException {
        Path swapped = folder.resolve("swapped");
        LlavaSwap.write(Path.of(llava("hub")), Path.of(tower()), null, swapped, null, false);
        JsonNode record = json(answering("hub", "pope", "--tower", tower(), "--json"));
        assertThat(record.path("results").findValuesAsText("model")).containsExactly("gqa", "gqa+clip");
        assertThat(record.path("tests")).hasSize(4).allSatisfy(test -> {
            assertThat(test.path("first").asText()).isEqualTo("gqa");
            assertThat(test.path("second").asText()).isEqualTo("gqa+clip");
        });
        List<String> inMemory = texts(answers.resolve("gqa-clip/pope.jsonl"));
        assertThat(run(command("pope", "--llava", swapped.toString()))).isZero();
        assertThat(inMemory).isEqualTo(texts(answers.resolve("swapped/pope.jsonl")));
        assertThat(run(
                        "eval",
                        "mllm",
                        "--bench",
                        "pope",
                        "--data",
                        root.toString(),
                        "--score-only",
                        answers.resolve("gqa").toString(),
                        answers.resolve("gqa-clip").toString(),
                        "--json"))
                .isZero();
        assertThat(new ObjectMapper().readTree(out.toString())).isEqualTo(record);
    }

    /** SIGTERM, then SIGKILL, each in the middle: no answer is lost, and the file ends as that of one run. */
    @Test
    void stoppedAndKilledEvaluationsGoOnToTheSameBytes() throws IOException, InterruptedException {
        writeBenchmarks(10);
        String[] cut = command("pope", "--llava", llava("hub"));
        cut[cut.length - 1] = "16"; // tokens: long enough for a signal in between
        String[] whole = cut.clone();
        Path file = answerFile("hub", Benchmark.POPE);
        JavaProcess stopped = JavaProcess.start(folder, Main.class, Map.of(), cut);
        awaitLines(file, 2, stopped);
        stopped.process().destroy();
        assertThat(stopped.await(60)).as(stopped::output).isEqualTo(ExitCodes.RESUMABLE);
        assertThat(stopped.output()).contains("stopped; the same command goes on");
        int kept = count(file);
        JavaProcess killed = JavaProcess.start(folder, Main.class, Map.of(), cut);
        awaitLines(file, kept + 2, killed);
        killed.process().destroyForcibly();
        killed.await(60);
        assertThat(count(file))
                .isLessThan(Benchmark.POPE.read(root, Prompts.LLAVA).items().size());
        assertThat(run(cut)).isZero();
        byte[] continued = Files.readAllBytes(file);
        whole[List.of(whole).indexOf(answers.toString())] =
                folder.resolve("once").toString();
        assertThat(run(whole)).isZero();
        assertThat(continued).isEqualTo(Files.readAllBytes(folder.resolve("once/gqa/pope.jsonl")));
    }

    private static void awaitLines(Path file, int lines, JavaProcess process) throws InterruptedException, IOException {
        while (count(file) < lines) {
            assertThat(process.process().isAlive()).as(process::output).isTrue();
            Thread.sleep(5);
        }
    }

    private static int count(Path file) throws IOException {
        return Files.exists(file) ? Files.readString(file).split("\n", -1).length - 1 : 0;
    }

    @Test
    void badInputIsOneLineAndLosesNoAnswer() throws IOException {
        List<Item> items = Benchmark.POPE.read(root, Prompts.LLAVA).items();
        Path last = items.get(items.size() - 1).picture().file();
        Path first = Benchmark.MMVP
                .read(root, Prompts.LLAVA)
                .items()
                .get(0)
                .picture()
                .file();
        byte[] good = Files.readAllBytes(first);
        Files.write(first, new byte[] {1, 2, 3});
        refused(answering("hub", "pope,mmvp"), first.toString());
        byte[] kept = Files.readAllBytes(answerFile("hub", Benchmark.POPE));
        assertThat(new String(kept, StandardCharsets.UTF_8).lines()).hasSameSizeAs(items);
        Files.write(first, good);
        refused(answering("hub", "pope", "--template", "LLAVA_V1"), "template \"VICUNA_V1\", not \"LLAVA_V1\"");
        assertThat(answerFile("hub", Benchmark.POPE)).hasBinaryContent(kept);
        Files.delete(last);
        refused(answering("authors", "pope"), last + ": missing image");
        refused(
                command(
                        "mmvp",
                        "--llava",
                        Golden.path("llava-original/self-trained").toString()),
                "--tower config");
        refused(answering("hub", "mmvp", "--tower", folder.resolve("none").toString()), "none");
        assertThat(answers.resolve("self-trained")).doesNotExist();
    }

    private void refused(String[] arguments, String message) {
        assertThat(run(arguments)).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(err.toString().lines().filter(line -> line.startsWith("diva: ")))
                .singleElement()
                .asString()
                .contains(message);
    }

    @Test
    void recordedAnswersAreScoredAndUsageIsChecked() throws IOException {
        Path recorded = scores().resolve("pope/answers/tiny.jsonl");
        String[] scoring = {
            "eval",
            "mllm",
            "--bench",
            "pope",
            "--data",
            scores().toString(),
            "--score-only",
            recorded.toString(),
            "--json"
        };
        JsonNode metrics = json(scoring).path("results").path(0).path("metrics");
        JsonNode expected = Golden.of("mllm-scores").json("scores.json").path("pope");
        for (String category : List.of("random", "popular", "adversarial")) {
            JsonNode reference = expected.path(category).path("LLaVA eval_pope");
            assertThat(metrics.path(category + "_f1").asDouble())
                    .isCloseTo(reference.path("F1 score").asDouble(), within(1e-12));
            assertThat(metrics.path(category + "_recall").asDouble())
                    .isCloseTo(reference.path("Recall").asDouble(), within(1e-12));
        }
        assertThat(run("eval", "mllm", "--bench", "pope", "--data", scores().toString()))
                .isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(run(Stream.concat(Stream.of(scoring), Stream.of("--llava", llava("hub")))
                        .toArray(String[]::new)))
                .isEqualTo(CommandLine.ExitCode.USAGE);
    }

    /** A LLaVA, another tower and the first one's recorded answers as the models of a suite; a page from the evaluation. */
    @Test
    void suitesAndReportsTakeThem() throws IOException {
        Path suite = Files.writeString(folder.resolve("suite.yaml"), """
                models:
                  - {name: plain, llava: '%s'}
                  - {name: other, llava: '%s', tower: '%s'}
                  - {name: recorded, answers: '%s'}
                datasets:
                  - {name: bench, data: '%s', tasks: [mllm-mmvp], prompts: lmms-eval}
                """.formatted(
                llava("hub"), llava("hub"), tower(), folder.resolve("scores/answers/bench/plain/mmvp.jsonl"), root));
        Path recorded = folder.resolve("scores/answers/bench/plain/mmvp.jsonl");
        refused(suiteOf(suite), "no such file or folder");
        Files.createDirectories(recorded.getParent());
        Files.writeString(recorded, "");
        assertThat(run(suiteOf(suite))).as(err::toString).isZero();
        assertThat(out.toString()).contains("| data, metric | plain | other | recorded |", "| bench pairs |", "p = ");
        List<JsonNode> cells = new ArrayList<>();
        for (String model : List.of("plain", "recorded")) {
            cells.add(new ObjectMapper()
                    .readTree(folder.resolve("scores/bench_" + model + "_mllm_mmvp.json")
                            .toFile()));
        }
        assertThat(cells.get(1).path("metrics")).isEqualTo(cells.get(0).path("metrics"));
        Path page = folder.resolve("report.html");
        json(answering("hub", "pope", "--tower", tower(), "--json"));
        Path record = Files.writeString(folder.resolve("evaluation.json"), out.toString());
        assertThat(run("report", record.toString(), "--out", page.toString())).isZero();
        assertThat(page).content().contains("gqa+clip");
    }

    private String[] suiteOf(Path suite) {
        return new String[] {
            "eval",
            "all",
            "--suite",
            suite.toString(),
            "--out",
            folder.resolve("scores").toString()
        };
    }

    private String[] answering(String layout, String benchmarks, String... more) {
        return command(
                benchmarks,
                Stream.concat(Stream.of("--llava", llava(layout)), Stream.of(more))
                        .toArray(String[]::new));
    }

    private String[] command(String benchmarks, String... more) {
        Stream<String> fixed = Stream.of("eval", "mllm", "--bench", benchmarks, "--data", root.toString());
        Stream<String> options = Stream.of(
                "--out", answers.toString(), "--precision", "fp32", "--threads", "1", "--max-new-tokens", "" + TOKENS);
        return Stream.of(fixed, Stream.of(more), options).flatMap(part -> part).toArray(String[]::new);
    }

    private Path answerFile(String layout, Benchmark benchmark) {
        Path name = Path.of(llava(layout)).getFileName();
        return answers.resolve(name).resolve(benchmark.label() + ".jsonl");
    }

    private static List<JsonNode> lines(Path file) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }

    private static List<String> texts(Path file) throws IOException {
        return lines(file).stream().map(line -> line.path("text").asText()).toList();
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

    private static Path scores() {
        return Golden.path("mllm-scores");
    }
}
