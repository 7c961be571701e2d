package dev.diva.eval.mllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.eval.Evaluation;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Recorded answers through the whole way, and the files for the original scorers. */
@Tag("golden")
class MllmRunTest {
    @TempDir
    private Path out;

    private final Path data = Golden.path("mllm-scores");

    private MllmRun run(Benchmark benchmark, Path root, List<Path> judge) {
        MllmRun.Listener silent = new MllmRun.Listener() {};
        return new MllmRun(
                new MllmRun.Settings(List.of(benchmark), root, Prompts.LLAVA, Rules.LLAVA, judge, null, out), silent);
    }

    private Evaluation scored(Benchmark benchmark, Path root, Path... answers) {
        MllmRun run = run(benchmark, root, List.of());
        run.scoreRecorded(List.of(answers));
        return run.evaluation();
    }

    @Test
    void scoreFilesOfMmeAreLlavasAndScoreAlone() throws IOException {
        Evaluation answers = scored(Benchmark.MME, data, data.resolve("mme/answers/tiny.jsonl"));
        Path published = data.resolve("mme/eval_tool/answers/tiny");
        try (var files = Files.list(published)) {
            for (Path file : files.toList()) {
                assertThat(out.resolve("tiny/mme").resolve(file.getFileName())).hasSameTextualContentAs(file);
            }
        }
        Evaluation files = scored(Benchmark.MME, null, published);
        assertThat(files.results().get(0).metrics())
                .isEqualTo(answers.results().get(0).metrics());
    }

    @Test
    void theSheetForTheServerScoresAlone() {
        Evaluation answers = scored(Benchmark.MMBENCH, data, data.resolve("mmbench/answers/tiny_dev.jsonl"));
        Evaluation sheet = scored(Benchmark.MMBENCH, null, out.resolve("tiny/mmbench.xlsx"));
        for (String metric : List.of("circular", "circular_bare_letter", "first_rotation", "rows")) {
            assertThat(sheet.results().get(0).metrics().get(metric))
                    .isEqualTo(answers.results().get(0).metrics().get(metric));
        }
    }

    @Test
    void laterModelsAreTestedAgainstTheFirst() throws IOException {
        Path recorded = data.resolve("mmvp/answers_letter.jsonl");
        Path right = out.resolve("right.jsonl");
        MmvpQuestions set = MmvpQuestions.read(data.resolve("mmvp"), Prompts.LLAVA);
        StringBuilder lines = new StringBuilder();
        set.rows()
                .forEach(row ->
                        lines.append("{\"question_id\":" + row.index() + ",\"response\":\"" + row.label() + "\"}\n"));
        Files.writeString(right, lines);
        Evaluation evaluation = scored(Benchmark.MMVP, data, recorded, right);
        double before = evaluation.results().get(0).metrics().get("pairs");
        assertThat(evaluation.results().get(1).metrics().get("pairs")).isEqualTo(1);
        assertThat(evaluation.tests().get(0).mcNemar().gained())
                .isEqualTo((int) Math.round((1 - before) * set.rows().size() / 2));
        assertThat(evaluation.tests().get(0).mcNemar().lost()).isZero();
    }

    @Test
    void reviewsThatCannotBeScoredAreRefused() throws IOException {
        Path file = out.resolve("reviews.jsonl");
        Files.writeString(
                file, "{\"question_id\": 0, \"category\": \"llava_bench_conv\", \"content\": \"good, better\"}\n");
        assertThatThrownBy(() -> run(Benchmark.WILD, null, List.of(file)).scoreReviews("m"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("no reply is a pair of numbers");
        Files.writeString(
                file, "{\"question_id\": 777777, \"category\": \"llava_bench_conv\", \"content\": \"8 7\"}\n");
        assertThatThrownBy(() -> run(Benchmark.WILD, data, List.of(file)).scoreReviews("m"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("not among those");
    }
}
