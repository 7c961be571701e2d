package dev.diva.spark;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.cli.CacheCommand;
import dev.diva.cli.EncodeCommand;
import dev.diva.engine.Tensors;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Two workers with a JVM each, as Spark's local-cluster mode starts them, on the tiny models of the library's own tests. */
class BulkJobsTest {
    private static final Path GOLDEN =
            Path.of("../core/src/test/resources/golden").toAbsolutePath();
    private static final int IMAGES = 600; // three shards

    @TempDir
    private static Path folder;

    private static SparkContext context;

    @BeforeAll
    static void prepare() throws IOException {
        Path images = Files.createDirectories(folder.resolve("images"));
        Random random = new Random(7);
        for (int i = 0; i < IMAGES; i++) {
            BufferedImage image = new BufferedImage(72, 80, BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < 72 * 80; p++) {
                image.setRGB(p % 72, p / 72, random.nextInt(1 << 24));
            }
            ImageIO.write(
                    image, "png", images.resolve("image-%03d.png".formatted(i)).toFile());
        }
        Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars")); // all that local-cluster asks of a home
        String classes = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        context = SparkContext.getOrCreate(new SparkConf()
                .setMaster("local-cluster[2,1,1024]")
                .setAppName("test")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.ui.enabled", "false")
                .set("spark.executor.memory", "700m")
                .set("spark.executor.extraClassPath", classes)
                .set("spark.hadoop.fs.other.impl", OtherFiles.class.getName())
                .set("spark.executor.extraJavaOptions", Jobs.JVM_OPTIONS));
    }

    @AfterAll
    static void stop() {
        context.stop();
    }

    @Test
    void aKilledExecutorCostsTimeAndTheCacheIsThatOfOneProcess() throws Exception {
        Path single = folder.resolve("single");
        assertThat(new CommandLine(new CacheCommand()).execute(cache(single))).isZero();
        Killer killer = new Killer();
        context.addSparkListener(killer);
        Path job = folder.resolve("job");
        assertThat(Jobs.commandLine(new CacheJob()).execute(cache(job))).isZero();
        context.removeSparkListener(killer);
        assertThat(killer.killed).as("an executor died while it worked").isTrue();
        assertThat(killer.failed.get())
                .as("tasks that were lost and made again")
                .isPositive();
        Map<String, byte[]> expected = files(single);
        assertThat(expected).hasSize(3);
        assertThat(files(job)).containsExactlyEntriesOf(expected);
    }

    @Test
    void theEmbeddingsAreThoseOfOneProcess() throws IOException {
        Path single = folder.resolve("single.safetensors");
        Path job = folder.resolve("job.safetensors");
        assertThat(new CommandLine(new EncodeCommand()).execute(encode(single, "--threads", "1")))
                .isZero();
        assertThat(Jobs.commandLine(new EncodeJob()).execute(encode(job, "--parts", "7")))
                .isZero();
        assertThat(job).hasSameBinaryContentAs(single);
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left.filter(file -> file.getFileName().toString().startsWith(".")))
                    .isEmpty();
        }
    }

    /** Tars, globs and folders of a file system that Hadoop alone knows, and Parquet by Spark's library. */
    @Test
    void whatHadoopReadsIsReadAndParquetHasTheSameRows() throws IOException {
        Path tar = folder.resolve("some.tar");
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(Files.newOutputStream(tar))) {
            for (int i = 100; i < 120; i++) {
                Path image = folder.resolve("images/image-%d.png".formatted(i));
                out.putArchiveEntry(new TarArchiveEntry(image, "deep/" + image.getFileName()));
                Files.copy(image, out);
                out.closeArchiveEntry();
            }
        }
        Path few = Files.createDirectories(folder.resolve("few/deep"));
        Files.copy(folder.resolve("images/image-007.png"), few.resolve("seven.png"));
        Files.writeString(few.resolve("seven.txt"), "7");
        String here = tar + " " + folder + "/images/image-00*.png " + folder + "/few";
        String there = "other://" + tar + " other://" + folder + "/images/image-00*.png other://" + folder + "/few/";
        Path local = folder.resolve("local.safetensors");
        assertThat(new CommandLine(new EncodeCommand()).execute(encodeOf(here, local, "--threads", "1")))
                .isZero();
        Path parquet = folder.resolve("job.parquet");
        String cache = folder.resolve("data-cache").toString();
        assertThat(Jobs.commandLine(new EncodeJob())
                        .execute(encodeOf(there, parquet, "--parts", "2", "--data-cache", cache)))
                .isZero();
        try (PointerScope scope = new PointerScope();
                SafetensorsFile expected = SafetensorsFile.open(local);
                ParquetReader<Group> rows = ParquetReader.builder(
                                new GroupReadSupport(), new org.apache.hadoop.fs.Path(parquet.toString()))
                        .build()) {
            float[] values = Tensors.toFloats(expected.read("image_embeds"));
            List<String> names = new ObjectMapper()
                    .readerForListOf(String.class)
                    .readValue(expected.metadata().get("images"));
            assertThat(names).hasSize(20 + 10 + 1);
            int width = values.length / names.size();
            for (int row = 0; row < names.size(); row++) {
                Group read = rows.read();
                assertThat(read.getString("path", 0)).isEqualTo("other://" + names.get(row));
                for (int i = 0; i < width; i++) {
                    assertThat(read.getGroup("embedding", 0).getGroup("list", i).getFloat("element", 0))
                            .isEqualTo(values[row * width + i]);
                }
            }
            assertThat(rows.read()).isNull();
        }
        assertThat(Path.of(cache)).isNotEmptyDirectory();
    }

    @Test
    void whatHadoopDoesNotHaveIsBadInputInOneLine() {
        for (String[] wrong : new String[][] {
            {"other:///none.tar", "other:///none.tar: no such file or folder"},
            {"other://" + folder + "/images", "a folder; its name has to end with /"},
            {"nothing://x/a.tar", "nothing://x/a.tar: Hadoop cannot read it: No FileSystem for scheme"},
            {"other:///none.parquet --tokens", "holds one matrix"}
        }) {
            StringWriter err = new StringWriter();
            int code = Jobs.commandLine(new EncodeJob())
                    .setErr(new PrintWriter(err, true))
                    .execute(encodeOf(wrong[0], folder.resolve("none.npy")));
            assertThat(err.toString()).contains(wrong[1]);
            assertThat(code).isEqualTo(wrong[1].contains("matrix") ? 2 : 3);
        }
    }

    /** Files of this machine by another name. */
    public static final class OtherFiles extends RawLocalFileSystem {
        @Override
        public URI getUri() {
            return URI.create("other:///");
        }

        /** Without the rights, for which Hadoop would ask by the other name. */
        @Override
        public FileStatus[] listStatus(org.apache.hadoop.fs.Path path) throws IOException {
            return Stream.of(super.listStatus(path))
                    .map(file -> new FileStatus(
                            file.getLen(), file.isDirectory(), 1, 1 << 20, file.getModificationTime(), file.getPath()))
                    .toArray(FileStatus[]::new);
        }
    }

    @Test
    void aModelThatATaskCannotReadIsBadInputInOneLine() throws IOException {
        Path model = Files.createDirectories(folder.resolve("empty-model"));
        StringWriter err = new StringWriter();
        int code = Jobs.commandLine(new EncodeJob())
                .setErr(new PrintWriter(err, true))
                .execute(("--clip " + model + " --images " + folder.resolve("images") + " --out "
                                + folder.resolve("none.safetensors") + " --parts 1")
                        .split(" "));
        assertThat(err.toString()).startsWith(model.toString()).hasLineCount(1);
        assertThat(code).isEqualTo(3);
    }

    private static String[] cache(Path out) {
        return ("--diffusion " + GOLDEN + "/sd21 --images " + folder.resolve("images") + " --crops 1 --out " + out
                        + " --set resolution=192 --set precision=fp32 --set threads=1 --set workers=1")
                .split(" ");
    }

    private static String[] encode(Path out, String... more) {
        return encodeOf(folder.resolve("images").toString(), out, more);
    }

    private static String[] encodeOf(String images, Path out, String... more) {
        String[] all = ("--clip " + GOLDEN + "/clip-hf-vit --images " + images + " --out " + out + " --precision fp32")
                .split(" ");
        return Stream.of(all, more).flatMap(Stream::of).toArray(String[]::new);
    }

    private static Map<String, byte[]> files(Path cache) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(cache)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(cache.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    /** Kills the executor of the first task, a second into it. */
    private static final class Killer extends SparkListener {
        private final AtomicInteger failed = new AtomicInteger();
        private final CountDownLatch started = new CountDownLatch(1);
        private volatile boolean killed;

        @Override
        public void onTaskStart(SparkListenerTaskStart start) {
            if (started.getCount() > 0) {
                started.countDown();
                String executor = start.taskInfo().executorId();
                Thread thread = new Thread(() -> kill(executor), "killer");
                thread.setDaemon(true);
                thread.start();
            }
        }

        @Override
        public void onTaskEnd(SparkListenerTaskEnd end) {
            if (!end.taskInfo().successful()) {
                failed.incrementAndGet();
            }
        }

        private void kill(String executor) {
            try {
                TimeUnit.SECONDS.sleep(1);
                for (ProcessHandle process :
                        ProcessHandle.current().descendants().toList()) {
                    String command = Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
                    if (command.contains("--executor-id\0" + executor + "\0")) {
                        killed = process.destroyForcibly();
                    }
                }
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
