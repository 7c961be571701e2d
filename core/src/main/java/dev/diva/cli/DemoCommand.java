package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.demo.Demo;
import dev.diva.demo.LlavaDemo;
import dev.diva.demo.SegmentationDemo;
import dev.diva.demo.Study;
import dev.diva.demo.Watcher;
import dev.diva.eval.Evaluation;
import dev.diva.train.TrainListener;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jline.utils.Signals;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The whole experiment on the mini world that comes with the program. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description =
                "The whole experiment on a laptop, without a download: a small blind CLIP, a small diffusion model,"
                        + " post-training from images alone, scores before and after.",
        footer = {"", "Ctrl-C stops it after a checkpoint; the same command goes on."})
public final class DemoCommand implements Callable<Integer> {
    private static final List<String> WITH_REAL_WEIGHTS = List.of(
            "diva train --clip models/clip-vit-large-patch14 --diffusion models/stable-diffusion-2-1-base"
                    + " --images 'data/cc3m/*.tar' --out runs/mine",
            "diva eval mmvp --clip models/clip-vit-large-patch14 runs/mine/clip --data data/MMVP_VLM",
            "diva report runs/mine");

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--out",
            defaultValue = "runs/demo",
            paramLabel = "DIR",
            description = "Folder. Default: runs/demo.")
    private Path out;

    @Option(names = "--study", description = "Several recipes and seeds, and a control with wrong images.")
    private boolean study;

    @Option(
            names = "--segmentation",
            description = "A small SAN on the untouched and on the repaired CLIP, and whether it segments better.")
    private boolean segmentation;

    @Option(
            names = "--seeds",
            defaultValue = "1,2,3",
            split = ",",
            description = "Of the study, and of --segmentation. Default: 1,2,3.")
    private List<Long> seeds;

    @Option(
            names = "--mllm",
            description = "Then both stages of a small LLaVA with the tower before and after, scored on pairs.")
    private boolean mllm;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private TrainProgress progress; // of the training that runs, or null

    @Override
    public Integer call() throws JsonProcessingException {
        Watcher watcher = watcher();
        if (seeds.isEmpty()) {
            throw new BadInputException("demo: --seeds is empty");
        }
        if (Stream.of(study, segmentation, mllm).filter(asked -> asked).count() > 1) {
            throw new ParameterException(spec.commandLine(), "give one of --study, --segmentation and --mllm");
        }
        if (segmentation) {
            SegmentationDemo run = new SegmentationDemo(out, seeds, watcher);
            return finish(stopping(run::stop, run::run), "segmentation");
        }
        if (study) {
            Study run = new Study(out, seeds, watcher);
            return finish(stopping(run::stop, run::run), "study");
        }
        if (mllm) {
            return llavas(watcher);
        }
        Demo run = new Demo(out, watcher);
        return finish(stopping(run::stop, run::run), "report");
    }

    private int llavas(Watcher watcher) throws JsonProcessingException {
        Demo demo = new Demo(out, watcher);
        LlavaDemo llavas = new LlavaDemo(out, watcher);
        Optional<Evaluation> scores = stopping(
                () -> {
                    demo.stop();
                    llavas.stop();
                },
                () -> demo.run().flatMap(report -> llavas.run()));
        if (scores.isEmpty()) {
            return finish(Optional.empty(), "scores");
        }
        new EvalOutput(json).print(spec.commandLine(), scores.get());
        return 0;
    }

    private <T> Optional<T> stopping(Runnable stop, Supplier<Optional<T>> work) {
        Object oldTerm = Signals.register("TERM", stop);
        Object oldInt = Signals.register("INT", stop);
        try {
            return work.get();
        } finally {
            closeProgress();
            Signals.unregister("TERM", oldTerm);
            Signals.unregister("INT", oldInt);
        }
    }

    private int finish(Optional<Path> result, String name) throws JsonProcessingException {
        PrintWriter writer = spec.commandLine().getOut();
        if (result.isEmpty()) {
            writer.println("stopped after a checkpoint; the same command goes on");
        } else if (json) {
            writer.println(new ObjectMapper()
                    .writeValueAsString(Map.of(name, result.orElseThrow().toString())));
        } else {
            writer.println(result.orElseThrow());
            writer.println();
            writer.println("The same with real weights:");
            WITH_REAL_WEIGHTS.forEach(line -> writer.println("  " + line));
        }
        writer.flush();
        return result.isEmpty() ? ExitCodes.RESUMABLE : 0;
    }

    private Watcher watcher() {
        PrintWriter err = spec.commandLine().getErr();
        return new Watcher() {
            @Override
            public void stage(String words) {
                closeProgress();
                err.println(words);
                err.flush();
            }

            @Override
            public TrainListener training(long firstStep, long steps) {
                closeProgress();
                progress = new TrainProgress(err, firstStep, steps);
                return progress;
            }
        };
    }

    private void closeProgress() {
        if (progress != null) {
            progress.close();
            progress = null;
        }
    }
}
