package dev.diva.spark;

import dev.diva.clip.Clip;
import dev.diva.clip.Clip.Scale;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.clip.ImageEncoding;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageSet;
import dev.diva.engine.Precision;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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

    @Option(
            names = "--clip",
            required = true,
            paramLabel = "MODEL",
            description = "Folder or file of a CLIP or SigLIP.")
    private Path model;

    @Option(names = "--images", required = true, arity = "1..*", description = "Folders, globs, tars or files.")
    private List<String> images;

    @Option(names = "--out", required = true, description = "File to write: .safetensors, or .json.")
    private Path out;

    @Option(names = "--tokens", description = "All tokens of each image too, normed and projected.")
    private boolean tokens;

    @Option(names = "--raw", description = "Embeddings as the tower gives them, not divided by their L2 norm.")
    private boolean raw;

    @Option(names = "--precision", defaultValue = "FP32", description = "FP32 or BF16. Default: ${DEFAULT-VALUE}.")
    private Precision precision;

    @Option(names = "--batch", defaultValue = "16", description = "Images at once. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--parts", defaultValue = "1000", description = "Tasks. Default: ${DEFAULT-VALUE}.")
    private int parts;

    public static void main(String[] arguments) {
        System.exit(Jobs.execute(new EncodeJob(), arguments));
    }

    @Override
    public Integer call() throws IOException {
        ImageSet all = ImageSet.open(images, problem -> LOG.warn("{}", problem));
        Path target = out.toAbsolutePath();
        try (EmbeddingsFile file = new EmbeddingsFile(target)) {
            JavaSparkContext context = Jobs.context("diva encode");
            Settings settings = new Settings(model.toAbsolutePath().toString(), precision, batch, tokens, raw);
            Task task = new Task(settings, target.toString(), context.broadcast(new SharedImages(all)));
            for (String part : Jobs.run(context, Part.cut(all.size(), batch, parts), task)) {
                file.appendPart(Path.of(part));
                Files.delete(Path.of(part));
            }
            file.describe("model", model.toString()).describe("normalized", String.valueOf(!raw));
            file.finish();
            spec.commandLine().getOut().println(out + ": " + file.list("images").size() + " images");
        }
        return 0;
    }

    private record Settings(String model, Precision precision, int batch, boolean tokens, boolean raw)
            implements Serializable {}

    /** Encodes a part of whole batches into a file beside the target, and tells its name. */
    private record Task(Settings settings, String out, Broadcast<SharedImages> images)
            implements Function<Part, String> {
        @Override
        public String call(Part part) throws IOException {
            Path target = Path.of(out);
            Path file = target.resolveSibling("." + target.getFileName() + ".part-" + part.index() + ".safetensors");
            Files.deleteIfExists(file); // of an attempt whose answer was lost
            Clip.Options options =
                    new Clip.Options(settings.precision(), TaskContext.get().cpus(), settings.batch(), null);
            try (Clip clip = Clip.load(Path.of(settings.model()), options);
                    EmbeddingsFile embeddings = new EmbeddingsFile(file)) {
                Scale scale = settings.raw() ? Scale.RAW : Scale.UNIT;
                new ImageEncoding(
                                clip,
                                embeddings,
                                new ImageEncoding.Settings(scale, settings.tokens(), settings.batch(), false))
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
