package dev.diva.eval.mllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.eval.Result;
import dev.diva.testing.Golden;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Recorded answers scored as the public scorers score them; {@code scores.json} is their output. */
@Tag("golden")
class MllmScoresTest {
    private static final double EXACT = 1e-12;

    private final Path data = Golden.path("mllm-scores");
    private final JsonNode expected = Golden.of("mllm-scores").json("scores.json");

    private static List<String> strings(JsonNode list) {
        List<String> strings = new ArrayList<>();
        list.forEach(value -> strings.add(value.asText()));
        return strings;
    }

    private List<String> asked(Benchmark benchmark, Prompts prompts) {
        return benchmark.read(data, prompts).items().stream().map(Item::asked).toList();
    }

    private Result score(Benchmark benchmark, Path answers, Rules rules, Path... judge) {
        QuestionSet set = benchmark.read(data, Prompts.LLAVA);
        Answers recorded = Answers.read(set, answers);
        return set.score(recorded.model(), recorded.texts(), rules, List.of(judge));
    }

    @Test
    void mmvpPromptsOfTheAuthorsAndOfLmmsEval() {
        JsonNode mmvp = expected.path("mmvp");
        assertThat(asked(Benchmark.MMVP, Prompts.LLAVA))
                .isEqualTo(strings(mmvp.path("original prompts (vicuna_v1 here, llava_v1 in the authors' script)")));
        assertThat(asked(Benchmark.MMVP, Prompts.LMMS_EVAL))
                .isEqualTo(strings(mmvp.path("lmms-eval").path("prompts")));
    }

    @Test
    void mmvpByTheAuthorsJudge() {
        JsonNode judge = expected.path("mmvp").path("judge");
        Result result = score(
                Benchmark.MMVP,
                data.resolve("mmvp/answers.jsonl"),
                Rules.LLAVA,
                data.resolve("mmvp/judge_replies.json"));
        assertThat(result.metrics().get("pairs"))
                .isEqualTo(judge.path("pair accuracy").asDouble());
        List<Boolean> graded = new ArrayList<>();
        judge.path("graded yes").forEach(yes -> graded.add(yes.asBoolean()));
        assertThat(result.answers().get("questions")).containsExactly(booleans(graded));
        MmvpQuestions set = MmvpQuestions.read(data.resolve("mmvp"), Prompts.LLAVA);
        assertThat(MmvpQuestions.judgeMessage(
                        set.rows().get(0),
                        Answers.read(set, data.resolve("mmvp/answers.jsonl"))
                                .texts()
                                .get(0)))
                .isEqualTo(judge.path("question to the judge, row 1").asText());
    }

    private static boolean[] booleans(List<Boolean> values) {
        boolean[] array = new boolean[values.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = values.get(i);
        }
        return array;
    }

    @Test
    void mmvpByLettersOfBothToolkits() {
        Path answers = data.resolve("mmvp/answers_letter.jsonl");
        MmvpQuestions set = MmvpQuestions.read(data.resolve("mmvp"), Prompts.LMMS_EVAL);
        List<String> texts = Answers.read(set, answers).texts();
        JsonNode lmms = expected.path("mmvp").path("lmms-eval");
        assertThat(new MmvpScore(set, texts, Rules.LMMS_EVAL).letters()).isEqualTo(strings(lmms.path("letters")));
        assertThat(set.rows().stream().map(MmvpQuestions.Row::correctedLabel)).isEqualTo(strings(lmms.path("targets")));
        Map<String, Double> scores =
                score(Benchmark.MMVP, answers, Rules.LMMS_EVAL).metrics();
        assertThat(scores.get("questions")).isEqualTo(lmms.path("accuracy").asDouble());
        assertThat(scores.get("pairs")).isEqualTo(lmms.path("pair_accuracy").asDouble());
        JsonNode vlm = expected.path("mmvp").path("VLMEvalKit matching on the same answers");
        assertThat(new MmvpScore(set, texts, Rules.VLMEVALKIT).letters()).isEqualTo(strings(vlm.path("letters")));
        scores = score(Benchmark.MMVP, answers, Rules.VLMEVALKIT).metrics();
        assertThat(scores.get("questions")).isCloseTo(vlm.path("Average").asDouble(), within(EXACT));
        assertThat(scores.get("pairs")).isCloseTo(vlm.path("Overall").asDouble(), within(EXACT));
    }

    @ParameterizedTest
    @ValueSource(strings = {"random", "popular", "adversarial"})
    void popeOfEachCategory(String category) {
        Path answers = data.resolve("pope/answers/tiny.jsonl");
        JsonNode pope = expected.path("pope").path(category);
        Map<String, Double> llava = score(Benchmark.POPE, answers, Rules.LLAVA).metrics();
        JsonNode right = pope.path("LLaVA eval_pope");
        close(llava, category + "_f1", right.path("F1 score"), 1);
        close(llava, category + "_accuracy", right.path("Accuracy"), 1);
        close(llava, category + "_precision", right.path("Precision"), 1);
        close(llava, category + "_recall", right.path("Recall"), 1);
        close(llava, category + "_yes_ratio", right.path("Yes ratio"), 1);
        Map<String, Double> lmms =
                score(Benchmark.POPE, answers, Rules.LMMS_EVAL).metrics();
        right = pope.path("lmms-eval");
        close(lmms, category + "_f1", right.path("f1_score"), 1);
        close(lmms, category + "_accuracy", right.path("accuracy"), 1);
        close(lmms, category + "_precision", right.path("precision"), 1);
        close(lmms, category + "_recall", right.path("recall"), 1);
        close(lmms, category + "_yes_ratio", right.path("yes_ratio"), 1);
        Map<String, Double> vlm =
                score(Benchmark.POPE, answers, Rules.VLMEVALKIT).metrics();
        right = expected.path("pope").path("VLMEvalKit").path(category);
        close(vlm, category + "_f1", right.path("Overall"), 100);
        close(vlm, category + "_accuracy", right.path("acc"), 100);
        close(vlm, category + "_precision", right.path("precision"), 100);
        close(vlm, category + "_recall", right.path("recall"), 100);
    }

    private static void close(Map<String, Double> scores, String name, JsonNode right, double scale) {
        assertThat(right.isNumber()).isTrue();
        assertThat(scale * scores.get(name)).as(name).isCloseTo(right.asDouble(), within(scale * EXACT));
    }

    @Test
    void popeAsPapersPrintItAndOverAll() {
        Path answers = data.resolve("pope/answers/tiny.jsonl");
        close(
                score(Benchmark.POPE, answers, Rules.LLAVA).metrics(),
                "f1",
                expected.path("pope").path("mean of the three F1 (the number papers call POPE)"),
                1);
        Map<String, Double> vlm =
                score(Benchmark.POPE, answers, Rules.VLMEVALKIT).metrics();
        JsonNode overall = expected.path("pope").path("VLMEvalKit").path("Overall");
        close(vlm, "overall_f1", overall.path("Overall"), 100);
        close(vlm, "accuracy", overall.path("acc"), 100);
    }

    @Test
    void mmeByAllThreeRules() {
        Path answers = data.resolve("mme/answers/tiny.jsonl");
        JsonNode mme = expected.path("mme");
        for (Rules rules : List.of(Rules.LLAVA, Rules.MME_TOOL)) {
            Result tool = score(Benchmark.MME, answers, rules);
            JsonNode right = mme.path("calculation.py");
            assertThat(tool.points("perception"))
                    .isCloseTo(right.path("Perception").asDouble(), within(1e-9));
            assertThat(tool.points("cognition"))
                    .isCloseTo(right.path("Cognition").asDouble(), within(1e-9));
            right.path("subtasks")
                    .properties()
                    .forEach(subtask -> assertThat(tool.points(subtask.getKey()))
                            .as(subtask.getKey())
                            .isCloseTo(subtask.getValue().asDouble(), within(1e-9)));
        }
        Result lmms = score(Benchmark.MME, answers, Rules.LMMS_EVAL);
        JsonNode right = mme.path("lmms-eval");
        assertThat(lmms.points("perception"))
                .isCloseTo(right.path("mme_perception_score").asDouble(), within(1e-9));
        assertThat(lmms.points("cognition"))
                .isCloseTo(right.path("mme_cognition_score").asDouble(), within(1e-9));
        Result vlm = score(Benchmark.MME, answers, Rules.VLMEVALKIT);
        JsonNode kit = mme.path("VLMEvalKit");
        assertThat(vlm.points("cognition")).isCloseTo(kit.path("reasoning").asDouble(), within(1e-9));
        kit.properties().stream()
                .filter(score -> !score.getKey().equals("reasoning"))
                .forEach(score -> assertThat(vlm.points(score.getKey()))
                        .as(score.getKey())
                        .isCloseTo(score.getValue().asDouble(), within(1e-9)));
    }

    @Test
    void mmeAnswersReadOneByOne() {
        expected.path("mme")
                .path("parsed [answer, label, calculation.py, lmms-eval, VLMEvalKit]")
                .forEach(subtask -> subtask.forEach(row -> {
                    String text = row.get(0).asText();
                    assertThat(YesNo.mmeTool(text))
                            .as(text)
                            .isEqualTo(row.get(2).asText());
                    assertThat(YesNo.lmmsMme(text))
                            .as(text)
                            .isEqualTo(row.get(3).asText());
                    assertThat(YesNo.vlmEvalKit(text))
                            .as(text)
                            .isEqualTo(row.get(4)
                                    .asText()
                                    .toLowerCase(java.util.Locale.ROOT)
                                    .replace("unknown", "other"));
                }));
    }

    @Test
    void popeAnswersReadOneByOne() {
        PopeQuestions set = PopeQuestions.read(data.resolve("pope"), Prompts.LLAVA);
        List<String> texts =
                Answers.read(set, data.resolve("pope/answers/tiny.jsonl")).texts();
        JsonNode pope = expected.path("pope");
        for (String category : List.of("random", "popular", "adversarial")) {
            List<String> llava = new ArrayList<>();
            List<String> kit = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                if (set.category(i).equals(category)) {
                    llava.add(YesNo.llavaPope(texts.get(i)));
                    kit.add(YesNo.vlmEvalKit(texts.get(i)));
                }
            }
            assertThat(llava)
                    .isEqualTo(
                            strings(pope.path(category).path("LLaVA eval_pope").path("parsed")));
            assertThat(kit)
                    .isEqualTo(strings(pope.path("VLMEvalKit extracted").path(category)).stream()
                            .map(read -> Map.of("Yes", "yes", "No", "no", "Unknown", "other")
                                    .get(read))
                            .toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny_dev", "tiny_dev_cn"})
    void mmbench(String name) {
        Benchmark benchmark = name.endsWith("_cn") ? Benchmark.MMBENCH_CN : Benchmark.MMBENCH;
        MmBenchQuestions set = (MmBenchQuestions) benchmark.read(data, Prompts.LLAVA);
        Path answers = data.resolve("mmbench/answers/" + name + ".jsonl");
        List<String> texts = Answers.read(set, answers).texts();
        JsonNode right = expected.path("mmbench").path(name);
        MmBenchScore kit = new MmBenchScore(set.rows(), texts, Rules.VLMEVALKIT);
        for (int i = 0; i < texts.size(); i++) {
            String index = Long.toString(set.rows().get(i).index());
            assertThat(set.items().get(i).asked())
                    .isEqualTo(right.path("prompts").path(index).asText());
            assertThat(kit.letter(i))
                    .as(index)
                    .isEqualTo(right.path("VLMEvalKit letters").path(index).asText());
        }
        JsonNode circular = right.path("VLMEvalKit circular, exact matching");
        for (Rules rules : List.of(Rules.LLAVA, Rules.VLMEVALKIT)) {
            Map<String, Double> scores = score(benchmark, answers, rules).metrics();
            close(scores, "circular", circular.path("Overall"), 1);
            close(scores, "circular_bare_letter", right.path("circular, answer equal to the letter"), 1);
            close(scores, "first_rotation", right.path("first rotation only"), 1);
            close(scores, "rows", right.path("every row on its own"), 1);
            groups(scores, circular);
        }
        Map<String, Double> lmms = score(benchmark, answers, Rules.LMMS_EVAL).metrics();
        close(lmms, "circular", right.path("lmms-eval static").path("overall"), 1);
        groups(lmms, right.path("lmms-eval static"));
    }

    private static void groups(Map<String, Double> scores, JsonNode right) {
        right.path("category")
                .properties()
                .forEach(one -> close(scores, "category: " + one.getKey(), one.getValue(), 1));
        right.path("l2-category")
                .properties()
                .forEach(one -> close(scores, "ability: " + one.getKey(), one.getValue(), 1));
    }

    @Test
    void wildRunsOfTheJudge() {
        JsonNode wild = expected.path("llava-wild");
        JsonNode summaries = wild.path(
                "summarize_gpt_review.py [relative score, 10 x mean of the reference, 10 x mean of the model]");
        List<Path> files = Stream.of("eval1", "eval2", "eval3")
                .map(run -> data.resolve("llava-wild/reviews/tiny-" + run + ".jsonl"))
                .toList();
        List<WildScore.Run> runs = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            WildScore.Run run = JudgeReplies.wild(files.get(i), Rules.LLAVA, null);
            runs.add(run);
            WildScore.Run lmms = JudgeReplies.wild(files.get(i), Rules.LMMS_EVAL, null);
            summaries.path("eval" + (i + 1)).properties().forEach(one -> {
                String category = one.getKey().replace("llava_bench_", "");
                WildScore.Summary summary = WildScore.summary(
                        run,
                        review -> category.equals("all") || review.category().equals(category));
                assertThat(List.of(summary.relative(), summary.reference(), summary.model()))
                        .isEqualTo(doubles(one.getValue()));
            });
            assertThat(marks(run)).isEqualTo(pairs(wild.path("parse_score").path(i)));
            assertThat(marks(lmms))
                    .isEqualTo(pairs(wild.path("lmms-eval parser").path(i)));
            assertThat(WildScore.summary(lmms, review -> true).relative())
                    .isEqualTo(wild.path("lmms-eval score of 'all'").path(i).asDouble());
        }
        Result result = new WildScore(runs).result("tiny", "wild");
        double printed = wild.path("mean of the three runs' 'all' (the number papers print)")
                .asDouble();
        assertThat(100 * result.metrics().get("all")).isCloseTo(printed, within(5e-5)); // printed with four decimals
        double[] all = runs.stream()
                .mapToDouble(run -> WildScore.summary(run, review -> true).relative())
                .sorted()
                .toArray();
        assertThat(100 * result.metrics().get("judge_spread")).isCloseTo(all[2] - all[0], within(1e-9));
    }

    private static List<Double> doubles(JsonNode list) {
        List<Double> values = new ArrayList<>();
        list.forEach(value -> values.add(value.asDouble()));
        return values;
    }

    private static List<List<Double>> pairs(JsonNode list) {
        List<List<Double>> pairs = new ArrayList<>();
        list.forEach(pair -> pairs.add(doubles(pair)));
        return pairs;
    }

    private static List<List<Double>> marks(WildScore.Run run) {
        return run.reviews().stream()
                .map(review ->
                        List.of(review.marks().reference(), review.marks().model()))
                .toList();
    }

    /** What is written in the tuple of a review is what LLaVA's parser makes of its content. */
    @Test
    void repliesParseToTheRecordedMarks() {
        for (int run = 1; run <= 3; run++) {
            JsonLines.read(data.resolve("llava-wild/reviews/tiny-eval" + run + ".jsonl"))
                    .forEach(line -> {
                        WildScore.Marks marks = WildScore.llava(line.text("content"));
                        assertThat(List.of(marks.reference(), marks.model()))
                                .isEqualTo(doubles(line.node().path("tuple")));
                    });
        }
    }

    @Test
    void messagesToTheWildJudge() {
        WildQuestions set = (WildQuestions) Benchmark.WILD.read(data, Prompts.LLAVA);
        List<String> texts =
                Answers.read(set, data.resolve("llava-wild/answers/tiny.jsonl")).texts();
        var rules = JsonLines.JSON.createObjectNode();
        for (String category : List.of("conv", "detail", "complex")) {
            String name = "llava_bench_" + category;
            rules.putObject(name)
                    .put("role", "Assistant")
                    .put("prompt", "<prompt of LLaVA's table/rule.json for " + name + ">");
        }
        assertThat(JudgeMessages.wild(set, texts, rules))
                .isEqualTo(strings(expected.path("llava-wild").path("message to the judge")));
    }
}
