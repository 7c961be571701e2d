package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.diva.eval.mllm.Answerer;
import dev.diva.eval.mllm.Benchmark;
import dev.diva.eval.mllm.MllmRun;
import dev.diva.eval.mllm.Prompts;
import dev.diva.eval.mllm.Rules;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code diva eval mllm}: benchmarks of multimodal language models. */
@Command(
        name = "mllm",
        mixinStandardHelpOptions = true,
        description = "MMVP, POPE, MME, MMBench, LLaVA-Bench (in the wild): LLaVAs answer, or answers are given; scored"
                + " by the original rules.")
public final class EvalMllmCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private EvalOutput output;

    @Mixin
    private MllmModels models;

    @Option(
            names = "--bench",
            required = true,
            split = ",",
            paramLabel = "NAME",
            converter = BenchmarkName.class,
            description = "mmvp, pope, mme, mmbench, mmbench-cn, wild; several with commas.")
    private List<Benchmark> benchmarks;

    @Option(
            names = "--data",
            paramLabel = "ROOT",
            description = "Folder with the benchmarks' folders, or the folder of one.")
    private Path data;

    @Option(
            names = "--score-only",
            arity = "1..*",
            paramLabel = "ANSWERS",
            description =
                    "Recorded answers, one a model: a JSONL file, a folder with BENCH.jsonl, a folder of MME's score"
                            + " files, a sheet for MMBench's server. The first is the one that others are tested against.")
    private List<Path> recorded = List.of();

    @Option(
            names = "--rules",
            defaultValue = "llava",
            paramLabel = "NAME",
            converter = RulesName.class,
            description = "Whose rules read the answers: llava (default), mme-tool, lmms-eval, vlmevalkit.")
    private Rules rules;

    @Option(
            names = "--prompts",
            defaultValue = "llava",
            paramLabel = "NAME",
            converter = PromptsName.class,
            description = "Whose words ask: llava (default), lmms-eval, vlmevalkit.")
    private Prompts prompts;

    @Option(
            names = "--judge",
            arity = "1..*",
            paramLabel = "FILE",
            description = "Replies of a judge, one file a run: wild (three runs are published), mmvp.")
    private List<Path> judge = List.of();

    @Option(
            names = "--judge-rules",
            paramLabel = "FILE",
            description = "LLaVA's rule.json for the judge's messages. Default: rule.json beside the questions.")
    private Path judgeRules;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Folder for the answers and for what judges and the original scorers take, in a folder per"
                    + " model; answers that are there are continued. Default with --llava: answers.")
    private Path out;

    /** Names of benchmarks on the command line. */
    static final class BenchmarkName implements ITypeConverter<Benchmark> {
        @Override
        public Benchmark convert(String name) {
            return Benchmark.named(name)
                    .orElseThrow(() -> new TypeConversionException("expected " + Benchmark.names()));
        }
    }

    /** Names of rules on the command line. */
    static final class RulesName implements ITypeConverter<Rules> {
        @Override
        public Rules convert(String name) {
            return Rules.named(name)
                    .orElseThrow(
                            () -> new TypeConversionException("expected llava, mme-tool, lmms-eval or vlmevalkit"));
        }
    }

    /** Names of prompts on the command line. */
    static final class PromptsName implements ITypeConverter<Prompts> {
        @Override
        public Prompts convert(String name) {
            return Prompts.named(name)
                    .orElseThrow(() -> new TypeConversionException("expected llava, lmms-eval or vlmevalkit"));
        }
    }

    @Override
    public Integer call() throws JsonProcessingException {
        boolean reviewsAlone = models.isEmpty()
                && recorded.isEmpty()
                && !judge.isEmpty()
                && benchmarks.equals(List.of(Benchmark.WILD));
        if (!reviewsAlone && models.isEmpty() == recorded.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "expected --llava DIR, or --score-only ANSWERS, or --bench wild --judge REVIEWS");
        }
        output.requireNew();
        Path folder = out == null && !models.isEmpty() ? Path.of("answers") : out;
        try (AnswerProgress progress = new AnswerProgress(spec.commandLine().getErr())) {
            MllmRun run = new MllmRun(
                    new MllmRun.Settings(benchmarks, data, prompts, rules, judge, judgeRules, folder), progress);
            if (!models.isEmpty()) {
                answer(run);
            } else if (reviewsAlone) {
                run.scoreReviews(judge.get(0).toString());
            } else {
                run.scoreRecorded(recorded);
            }
            progress.close();
            output.print(spec.commandLine(), run.evaluation());
            return 0;
        } catch (Answerer.Stopped e) {
            spec.commandLine().getErr().println("stopped; the same command goes on");
            return ExitCodes.RESUMABLE;
        }
    }

    private void answer(MllmRun run) {
        run.check();
        for (LlavaAnswerer model : models.open(prompts)) {
            try (model) {
                run.answer(model);
            }
        }
    }
}
