package dev.diva.spark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.cli.RecipeOptions;
import dev.diva.data.ImageSet;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.CacheFilling;
import dev.diva.posttrain.run.CacheFilling.Samples;
import dev.diva.train.RecipeKeys;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code diva cache} on a cluster: the same options, the same files. Models, images and cache lie where every executor sees them. */
@Command(
        name = "diva-cache",
        mixinStandardHelpOptions = true,
        description =
                "Write the latents of all images, which 'diva train --cache DIR' then reads instead of making them.")
public final class CacheJob implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(CacheJob.class);

    @Spec
    private CommandSpec spec;

    @Mixin
    private RecipeOptions options;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder of the cache, new or begun.")
    private Path out;

    @Option(
            names = "--parts",
            defaultValue = "1000",
            description = "Tasks, each of whole shards of 256 latents; a lost executor costs at most its own. Default:"
                    + " ${DEFAULT-VALUE}.")
    private int parts;

    public static void main(String[] arguments) {
        System.exit(Jobs.commandLine(new CacheJob()).execute(arguments));
    }

    @Override
    public Integer call() {
        RecipeTree tree = options.tree();
        RecipeOptions.require(tree, "diffusion", "images");
        Recipe recipe = tree.recipe();
        HadoopSource.use();
        ImageSet images = ImageSet.open(recipe.images(), problem -> LOG.warn("{}", problem));
        Samples samples = CacheFilling.samples(recipe, images);
        JavaSparkContext context = Jobs.context("diva cache");
        Task task = new Task(tree.root(), out.toAbsolutePath().toString(), context.broadcast(new SharedImages(images)));
        List<Long> made = Jobs.run(context, Part.cut(samples.count(), CacheFilling.SHARD, parts), task);
        long sum = made.stream().mapToLong(Long::longValue).sum();
        spec.commandLine().getOut().println(out + ": " + samples.count() + " samples, " + sum + " latents of them new");
        return 0;
    }

    /** Makes the latents of a part; those that an earlier attempt has written are found and left alone. */
    private record Task(ObjectNode recipe, String out, Broadcast<SharedImages> images) implements Function<Part, Long> {
        @Override
        public Long call(Part part) {
            ObjectNode own =
                    recipe.objectNode().put("threads", TaskContext.get().cpus());
            return CacheFilling.run(
                            new RecipeTree(new RecipeKeys(recipe))
                                    .with(own, "spark.task.cpus")
                                    .recipe(),
                            images.value().all(),
                            new Samples(part.from(), part.to(), 1),
                            Path.of(out),
                            new Log())
                    .made();
        }
    }

    private static final class Log implements CacheFilling.Listener {
        @Override
        public void begin(long samples) {
            LOG.info("{} samples", samples);
        }

        @Override
        public void done(long samples) {}

        @Override
        public void warning(String line) {
            LOG.warn("{}", line);
        }
    }
}
