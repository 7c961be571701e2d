package dev.diva.spark;

import dev.diva.checkpoint.OutputLock;
import dev.diva.checkpoint.Temporary;
import dev.diva.cli.EncodeOptions;
import dev.diva.clip.Clip;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.clip.ImageEncoding;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code diva encode} of images on a cluster: the same file. Model, images and file lie where every executor sees them. */
@Command(
        name = "diva-encode",
        mixinStandardHelpOptions = true,
        description = "Write embeddings of images, rows named by path in the file's metadata.")
public final class EncodeJob implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(EncodeJob.class);

    @Spec
    private CommandSpec spec;

    @Mixin
    private EncodeOptions options;

    @Option(names = "--parts", defaultValue = "1000", description = "Tasks. Default: ${DEFAULT-VALUE}.")
    private int parts;

    public static void main(String[] arguments) {
        System.exit(Jobs.commandLine(new EncodeJob()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        if (options.images().isEmpty()) {
            throw new ParameterException(spec.commandLine(), "give --images");
        }
        options.requireOneMatrix(true);
        HadoopSource.use();
        ImageSet all = ImageSet.open(options.images(), problem -> LOG.warn("{}", problem));
        if (!all.notRead().isEmpty()) {
            LOG.warn("{}", all.notReadWords());
        }
        Path target = options.out().toAbsolutePath();
        try (OutputLock lock = OutputLock.of(target);
                Temporary folder = Temporary.folder(target);
                EmbeddingsFile file = new EmbeddingsFile(target)) {
            JavaSparkContext context = Jobs.context("diva encode");
            ImageEncoding.Settings encoding =
                    new ImageEncoding.Settings(options.scale(), options.tokens(), options.batch(), false);
            Task task = new Task(
                    options.model().toAbsolutePath().toString(),
                    options.visual() == null
                            ? null
                            : options.visual().toAbsolutePath().toString(),
                    options.loading(context.getConf().getInt("spark.task.cpus", 1)),
                    encoding,
                    folder.path().toString(),
                    context.broadcast(new SharedImages(all)));
            for (String part : Jobs.run(context, Part.cut(all.size(), options.batch(), parts), task)) {
                file.appendPart(Path.of(part));
                Files.delete(Path.of(part)); // of our own folder
            }
            options.describe(file, all.notRead());
            file.finish();
            spec.commandLine()
                    .getOut()
                    .println(options.out() + ": " + file.list("images").size() + " images");
        }
        return 0;
    }

    /** Encodes a part of whole batches into a file of the folder, and tells its name. */
    private record Task(
            String model,
            String visual, // or null
            Clip.Options loading,
            ImageEncoding.Settings encoding,
            String folder,
            Broadcast<SharedImages> images)
            implements Function<Part, String> {
        @Override
        public String call(Part part) throws IOException {
            Path file = Path.of(folder).resolve("part-" + part.index() + ".safetensors");
            Files.deleteIfExists(file); // of an attempt whose answer was lost
            try (Clip clip = Clip.load(Path.of(model), visual == null ? null : Path.of(visual), loading);
                    EmbeddingsFile embeddings = new EmbeddingsFile(file)) {
                clip.notes().forEach(LOG::warn);
                new ImageEncoding(clip, embeddings, encoding)
                        .run(images.value().between(part.from(), part.to()), new Log());
                embeddings.finish();
            }
            return file.toString();
        }
    }

    private static final class Log implements ImageEncoding.Listener {
        @Override
        public void done(long images) {}

        @Override
        public void skipped(DataProblem problem) {
            LOG.warn("skipped {}", problem);
        }
    }
}
