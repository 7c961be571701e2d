package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.diva.BadInputException;
import dev.diva.eval.Evaluation;
import dev.diva.eval.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Scores models on benchmarks, from answers that they give now or that somebody recorded. Beside answers it writes what the original
 * scorers take: MME's score files, MMBench's upload sheet, messages for judges.
 */
public final class MllmRun {
    /**
     * What is scored and how.
     *
     * @param data root of the benchmarks; may be null for files that hold their own labels
     * @param judge replies of judges, may be empty
     * @param judgeRules LLaVA's {@code rule.json}, null: {@code rule.json} in the benchmark's folder
     * @param out folder for what is written, null: nothing is written of recorded answers
     */
    public record Settings(
            List<Benchmark> benchmarks,
            Path data,
            Prompts prompts,
            Rules rules,
            List<Path> judge,
            Path judgeRules,
            Path out) {}

    /** Hears of progress. */
    public interface Listener {
        /** So many questions of the benchmark have an answer. */
        default void answered(String model, Benchmark benchmark, int answered, int questions) {}

        /** A file was written. */
        default void wrote(Path file) {}

        /** Something a reader must know that belongs to no score. */
        default void note(String text) {}
    }

    private final Settings settings;
    private final Listener listener;
    private final Map<Benchmark, QuestionSet> sets = new EnumMap<>(Benchmark.class);
    private final List<Result> results = new ArrayList<>();

    public MllmRun(Settings settings, Listener listener) {
        this.settings = settings;
        this.listener = listener;
    }

    /** Questions of a benchmark, read once. */
    private QuestionSet set(Benchmark benchmark) {
        if (settings.data == null) {
            throw new BadInputException("--data: the folder with " + benchmark.label() + " is needed");
        }
        return sets.computeIfAbsent(benchmark, key -> key.read(settings.data, settings.prompts));
    }

    /** Reads all questions and looks for their images, so that what is missing is told before a model is loaded. */
    public void check() {
        settings.benchmarks.forEach(benchmark -> set(benchmark).requireImages());
    }

    /**
     * Lets a model answer what it has not answered yet, and scores it. Answers go to {@code OUT/MODEL/BENCHMARK.jsonl}.
     *
     * @throws BadInputException for missing images and answers that do not fit; finished answers stay on disk
     */
    public void answer(Answerer model) {
        Path folder = settings.out.resolve(fileName(model.name()));
        AnswerSettings.require(folder, model.settings());
        for (Benchmark benchmark : settings.benchmarks) {
            QuestionSet set = set(benchmark);
            Path file = folder.resolve(benchmark.label() + ".jsonl");
            int questions = set.items().size();
            List<String> texts = new Answering(set, file)
                    .run(model, done -> listener.answered(model.name(), benchmark, done, questions));
            score(set, file, model.name(), texts, folder);
        }
    }

    /**
     * Scores recorded answers.
     *
     * @param places a file of answers, a folder with {@code BENCHMARK.jsonl}, a folder of MME's score files, or a sheet for MMBench's
     *     server; one a model
     */
    public void scoreRecorded(List<Path> places) {
        for (Benchmark benchmark : settings.benchmarks) {
            List<Path> files =
                    places.stream().map(place -> file(place, benchmark)).toList();
            List<String> names = names(files, places);
            for (int i = 0; i < files.size(); i++) {
                recorded(benchmark, files.get(i), names.get(i));
            }
        }
    }

    private static Path file(Path place, Benchmark benchmark) {
        if (!Files.exists(place)) {
            throw new BadInputException(place + ": no such file or folder of answers");
        }
        if (!Files.isDirectory(place) || (benchmark == Benchmark.MME && MmeScoreFiles.isFolder(place))) {
            return place;
        }
        Path file = place.resolve(benchmark.label() + ".jsonl");
        if (!Files.exists(file)) {
            throw new BadInputException(file + ": no answers to " + benchmark.label() + " in this folder");
        }
        return file;
    }

    private void recorded(Benchmark benchmark, Path file, String model) {
        if (Files.isDirectory(file)) {
            results.add(MmeScoreFiles.score(file, model, settings.rules));
            return;
        }
        if (file.toString().endsWith(".xlsx")) {
            if (benchmark != Benchmark.MMBENCH && benchmark != Benchmark.MMBENCH_CN) {
                throw new BadInputException(file + ": a sheet holds answers to mmbench, not to " + benchmark.label());
            }
            results.add(UploadSheet.score(file, model, settings.rules));
            return;
        }
        JsonLines.Line first = JsonLines.read(file).get(0);
        if (benchmark == Benchmark.WILD
                && !first.node().has("text")
                && first.node().has("content")) {
            throw new BadInputException(file + ": replies of a judge, not answers; give them as --judge");
        }
        QuestionSet set = set(benchmark);
        List<String> texts = Answers.read(set, file).texts();
        score(set, file, model, texts, settings.out == null ? null : settings.out.resolve(fileName(model)));
    }

    /** Scores the replies of judges without the answers that they judge: LLaVA-Bench (in the wild). */
    public void scoreReviews(String model) {
        WildQuestions set = settings.data == null ? null : (WildQuestions) set(Benchmark.WILD);
        List<WildScore.Run> runs = settings.judge.stream()
                .map(file -> JudgeReplies.wild(file, settings.rules, set))
                .toList();
        results.add(new WildScore(runs)
                .result(
                        model,
                        set == null ? Benchmark.WILD.label() : set.place().toString()));
    }

    private void score(QuestionSet set, Path file, String model, List<String> texts, Path folder) {
        if (folder != null) {
            export(set, file, texts, folder);
        }
        List<Path> judge = judgeOf(file);
        if (set.benchmark() == Benchmark.WILD && judge.isEmpty()) {
            listener.note("wild: " + model + " has no score yet; it is scored from replies of a judge (--judge FILE...;"
                    + " in a suite: judge)");
            return;
        }
        results.add(set.score(model, texts, settings.rules, judge));
    }

    private void export(QuestionSet set, Path file, List<String> texts, Path folder) {
        if (set instanceof MmeQuestions mme) {
            MmeScoreFiles.write(mme, texts, wrote(folder.resolve("mme")));
        } else if (set instanceof MmBenchQuestions mmbench) {
            UploadSheet.write(
                    mmbench, texts, wrote(folder.resolve(set.benchmark().label() + ".xlsx")));
        } else if (set instanceof MmvpQuestions mmvp && settings.judge.isEmpty()) {
            JudgeMessages.mmvp(mmvp, file, texts, wrote(folder.resolve("mmvp-judge.jsonl")));
        } else if (set instanceof WildQuestions wild && settings.judge.isEmpty()) {
            Path rules = settings.judgeRules == null ? wild.place().resolve("rule.json") : settings.judgeRules;
            if (settings.judgeRules == null && !Files.exists(rules)) {
                listener.note(
                        rules + ": not there, so no messages for the judge; it is LLaVA's llava/eval/table/rule.json");
            } else {
                JudgeMessages.wild(wild, file, texts, rules, wrote(folder.resolve("wild-judge.jsonl")));
            }
        }
    }

    private Path wrote(Path file) {
        listener.wrote(file);
        return file;
    }

    /** The replies about these answers: those that name one of their ids, or name none. */
    private List<Path> judgeOf(Path answers) {
        if (settings.judge.isEmpty()) {
            return List.of();
        }
        Set<String> ids = Answers.byId(answers).values().stream()
                .map(line -> line.node().path("answer_id").asText(""))
                .collect(Collectors.toSet());
        List<Path> own = settings.judge.stream()
                .filter(file -> {
                    JsonNode id = JudgeReplies.isList(file)
                            ? MissingNode.getInstance()
                            : JsonLines.read(file).get(0).node().path("answer2_id");
                    return !id.isTextual() || ids.contains(id.asText());
                })
                .toList();
        if (own.isEmpty()) {
            throw new BadInputException(
                    settings.judge.get(0) + ": replies about other answers than those of " + answers);
        }
        return own;
    }

    /** What the answers call their model; where that does not tell the files apart, the files. */
    private static List<String> names(List<Path> files, List<Path> places) {
        List<String> names = files.stream().map(MllmRun::modelOf).toList();
        boolean told = names.stream().noneMatch(String::isEmpty)
                && names.stream().distinct().count() == names.size();
        return told ? names : places.stream().map(Path::toString).toList();
    }

    private static String modelOf(Path file) {
        if (Files.isDirectory(file) || file.toString().endsWith(".xlsx")) {
            return "";
        }
        return JsonLines.read(file).get(0).node().path("model_id").asText("");
    }

    private static String fileName(String model) {
        String name = model.replaceAll("[^A-Za-z0-9._@-]+", "-").replaceFirst("^[.-]+", "");
        return name.isEmpty() ? "model" : name;
    }

    /** The record; later models are tested against the first on each benchmark. */
    public Evaluation evaluation() {
        return Evaluation.of("mllm", results);
    }
}
