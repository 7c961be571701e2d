package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.CacheFilling;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes the latents of images before training. */
@Command(
        name = "cache",
        mixinStandardHelpOptions = true,
        description = {
            "Write the latents of all images, which 'diva train --cache DIR' then reads instead of making them.",
            "Takes the same recipe; resolution, crop, crops, seed, images and precision must be those of the training."
        })
public final class CacheCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private RecipeOptions options;

    @Mixin
    private ProcessesOption processes;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder of the cache, new or begun.")
    private Path out;

    @Option(names = "--json", description = "Print what was done as JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        if (processes.launches()) {
            return processes.launch();
        }
        RecipeTree tree = options.tree();
        RecipeOptions.require(tree, "diffusion", "images");
        CacheProgress progress = new CacheProgress(spec.commandLine().getErr());
        try (progress;
                ProcessGroup group = processes.join(Placement.cpu(Precision.FP32), tree.toYaml())) {
            CacheFilling.Result result = CacheFilling.run(tree.recipe(), out, group, progress);
            if (group.isFirst()) {
                print(result);
            }
        }
        return 0;
    }

    /** A bar that starts when the number of latents is known. */
    private static final class CacheProgress implements CacheFilling.Listener, AutoCloseable {
        private final PrintWriter err;
        private Progress progress;

        CacheProgress(PrintWriter err) {
            this.err = err;
        }

        @Override
        public void begin(long samples) {
            progress = Progress.start("latents", samples, err);
        }

        @Override
        public void done(long samples) {
            progress.at(samples);
        }

        @Override
        public void warning(String line) {
            err.println("warning: " + line);
            err.flush();
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }

    private void print(CacheFilling.Result result) throws JsonProcessingException {
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("out", out.toString());
            record.put("latents", result.latents());
            record.put("made", result.made());
            record.put("skipped", result.skipped());
            record.put("notRead", result.notRead());
            writer.println(new ObjectMapper().writeValueAsString(record));
        } else {
            writer.println(out + ": " + result.latents() + " latents, " + result.made() + " of them new"
                    + (result.skipped() == 0 ? "" : ", " + result.skipped() + " images skipped"));
        }
        writer.flush();
    }
}
