package dev.diva.cli;

import dev.diva.clip.Clip;
import dev.diva.engine.Precision;
import dev.diva.eval.Feature;
import dev.diva.eval.mllm.Answerer;
import dev.diva.eval.mllm.Benchmark;
import dev.diva.eval.mllm.Prompts;
import dev.diva.eval.suite.Suite;
import dev.diva.eval.suite.SuiteRun;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.Llava;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The suite of a command, how its cells are run, and what is told of them. */
final class SuiteOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--suite", required = true, paramLabel = "FILE", description = "YAML: models and datasets.")
    private Path suite;

    @Option(names = "--skip-existing", description = "Keep cells that are there.")
    private boolean skipExisting;

    @Option(
            names = "--precision",
            defaultValue = "fp32",
            converter = PrecisionName.class,
            description = PrecisionName.NAMES + "Default: fp32.")
    private Precision precision;

    @Option(
            names = "--feature",
            defaultValue = "zero-shot",
            converter = EvalModels.FeatureName.class,
            description = "zero-shot (default), class-plus-mean-local, mean-local or backbone.")
    private Feature feature;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

    @Mixin
    private DataCacheOption dataCache;

    /** The file; what it names behind addresses is kept in the cache that is given. */
    Path suite() {
        dataCache.use();
        return suite;
    }

    /** How cells are run. */
    SuiteRun.Options run() {
        return new SuiteRun.Options(loading(), feature, skipExisting, this::llava, this::segmenter);
    }

    private Clip.Options loading() {
        return Clip.Options.DEFAULT
                .withPrecision(precision)
                .withThreads(threads.count())
                .withDevice(device.name());
    }

    private LlavaAnswerer llava(Suite.ModelEntry entry, Prompts prompts) {
        LlavaAnswerer.Asking asking =
                new LlavaAnswerer.Asking(MllmModels.template(prompts), ImageAspect.PAD, Integer.MAX_VALUE);
        return new LlavaAnswerer(
                entry.name(),
                entry.path(),
                new Llava.Options(precision, threads.count(), entry.tower(), null, null).withDevice(device.name()),
                asking);
    }

    private SuiteRun.SegmenterModel segmenter(Suite.ModelEntry entry, List<String> classes) {
        return SuiteSegmenter.open(entry, loading().withFormat(entry.format()), classes);
    }

    /** Runs the cells and tells of each on the error stream; false when it was stopped. */
    boolean run(SuiteRun run) {
        PrintWriter err = spec.commandLine().getErr();
        try (AnswerProgress answers = new AnswerProgress(err)) {
            run.run(new Told(err, answers));
            return true;
        } catch (Answerer.Stopped e) {
            err.println("stopped; the same command with --skip-existing goes on");
            return false;
        }
    }

    private record Told(PrintWriter err, AnswerProgress answers) implements SuiteRun.Listener {
        @Override
        public void done(Path file, boolean computed) {
            line((computed ? "scored " : "kept ") + file);
        }

        @Override
        public void failed(SuiteRun.Failure failure) {
            answers.close();
            line("failed " + SuiteOptions.line(failure));
        }

        @Override
        public void answered(String model, Benchmark benchmark, int answered, int questions) {
            answers.answered(model, benchmark, answered, questions);
        }

        @Override
        public void wrote(Path file) {
            answers.wrote(file);
        }

        @Override
        public void note(String text) {
            answers.note(text);
        }

        private void line(String text) {
            err.println(text);
            err.flush();
        }
    }

    /** What failed, and why, in a line. */
    static String line(SuiteRun.Failure failure) {
        return failure.model() + " on " + failure.dataset() + ", "
                + failure.task().recordName() + ": "
                + Failure.line(failure.cause());
    }
}
