package dev.diva.train.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.BuildInfo;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageSet;
import dev.diva.train.FileHashes;
import dev.diva.train.Sha256;
import dev.diva.train.recipe.Recipe;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/** {@code manifest.json}: what a result was made from, with which program, on which machine; enough to make it again. */
final class Manifest {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Larger sets are told apart by the names and sizes of their files. */
    private static final long HASHED_IMAGE_BYTES = 4L << 30;

    private final Path file;
    private final ObjectNode root;
    private final Map<String, String> skipped = new LinkedHashMap<>();

    /** Starts the manifest of a new run, or goes on with the one that is there. */
    Manifest(Path file) {
        this.file = file;
        this.root = Files.exists(file) ? read(file) : JSON.createObjectNode();
        root.path("skipped")
                .forEach(entry -> skipped.put(
                        entry.path("name").asText(), entry.path("reason").asText()));
    }

    private static ObjectNode read(Path file) {
        try {
            return (ObjectNode) JSON.readTree(Files.readAllBytes(file));
        } catch (IOException | ClassCastException e) {
            throw new BadInputException(file + ": is no manifest: " + e.getMessage(), e);
        }
    }

    /** What the run is made from. The hashes of its files, null as yet, follow: training does not wait for gigabytes to be read. */
    void describe(Recipe recipe, Collection<Path> inputs, ImageSet images) {
        root.put("preset", recipe.preset()).put("seed", recipe.seed()).put("precision", recipe.precision());
        ObjectNode files = root.putObject("files");
        new TreeSet<>(inputs).forEach(input -> files.putNull(input.toString()));
        ObjectNode data = root.putObject("images");
        data.put("count", images.size());
        recipe.images().forEach(data.putArray("patterns")::add);
        describe(images, data);
    }

    /** What was assumed of the models because no file tells it. */
    void assume(List<String> assumptions) {
        assumptions.forEach(root.putArray("assumptions")::add);
    }

    /** Whether it says what the run is made from, with every hash. */
    boolean isDescribed() {
        return root.has("files") && unhashed().isEmpty();
    }

    /** Files whose hash is not there yet. */
    List<Path> unhashed() {
        return hashedFiles().flatMap(Manifest::unhashed).map(Path::of).toList();
    }

    /** Takes the hashes that are ready. */
    void take(FileHashes hashes) {
        hashedFiles()
                .forEach(files -> unhashed(files)
                        .toList()
                        .forEach(name -> hashes.ready(Path.of(name)).ifPresent(hash -> files.put(name, hash))));
    }

    private static Stream<String> unhashed(ObjectNode files) {
        return files.properties().stream()
                .filter(entry -> entry.getValue().isNull())
                .map(Map.Entry::getKey);
    }

    private Stream<ObjectNode> hashedFiles() {
        return Stream.of(root.path("files"), root.path("images").path("files"))
                .filter(JsonNode::isObject)
                .map(ObjectNode.class::cast);
    }

    private static void describe(ImageSet images, ObjectNode data) {
        TreeSet<Path> files = new TreeSet<>();
        images.entries().forEach(entry -> files.add(entry.file()));
        StringBuilder names = new StringBuilder();
        long bytes = 0;
        for (Path image : files) {
            long size = size(image);
            bytes += size;
            names.append(image).append(' ').append(size).append('\n');
        }
        data.put("bytes", bytes);
        data.put("namesAndSizesSha256", Sha256.of(names.toString().getBytes(StandardCharsets.UTF_8)));
        if (bytes <= HASHED_IMAGE_BYTES) {
            ObjectNode listed = data.putObject("files");
            files.forEach(image -> listed.putNull(image.toString()));
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e, e);
        }
    }

    /** A process that starts to work on the run. */
    void addSession(List<String> arguments, long firstStep) {
        BuildInfo build = BuildInfo.read();
        root.put("commit", build.commit());
        root.putObject("versions")
                .put("diva", build.version())
                .put("java", Runtime.version().toString())
                .put("pytorch", pytorchVersion())
                .put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        root.putObject("host")
                .put("name", hostName())
                .put("architecture", System.getProperty("os.arch"))
                .put("processors", Runtime.getRuntime().availableProcessors())
                .put("threads", torch.get_num_threads());
        arguments.forEach(root.putArray("arguments")::add);
        ObjectNode session = root.withArray("sessions").addObject();
        session.put("started", Instant.now().toString()).put("firstStep", firstStep);
        session.put("commit", build.commit()).put("host", hostName());
        arguments.forEach(session.putArray("arguments")::add);
    }

    private static String pytorchVersion() {
        try {
            return Loader.getVersion("org.bytedeco", "pytorch");
        } catch (IOException e) {
            return "unknown";
        }
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** The images that were left out, as lines for {@link #addSkipped} of another process. */
    String skippedLines() {
        StringBuilder lines = new StringBuilder();
        skipped.forEach(
                (name, reason) -> lines.append(name).append('\t').append(reason).append('\n'));
        return lines.toString();
    }

    void addSkipped(String lines) {
        lines.lines().forEach(line -> {
            int tab = line.indexOf('\t');
            skipped.putIfAbsent(line.substring(0, tab), line.substring(tab + 1));
        });
    }

    /** An image that was left out; each is listed once. */
    void skip(DataProblem problem) {
        skipped.putIfAbsent(problem.name(), problem.reason());
    }

    /** Images left out so far. */
    int skippedCount() {
        return skipped.size();
    }

    /** A fact about the end of the run. */
    void put(String key, String value) {
        root.put(key, value);
    }

    void write() {
        root.put("skippedCount", skipped.size());
        var array = root.putArray("skipped");
        skipped.forEach((name, reason) -> array.addObject().put("name", name).put("reason", reason));
        try {
            AtomicFile.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree is always JSON", e);
        }
    }
}
