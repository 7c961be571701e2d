package dev.diva.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.BuildInfo;
import dev.diva.Sha256;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.engine.GpuMemory;
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
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/** {@code manifest.json}: what a result was made from, with which program, on which machine; enough to make it again. */
public final class Manifest {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Larger sets of data are told apart by the names and sizes of their files. */
    private static final long HASHED_DATA_BYTES = 4L << 30;

    private static final String FINISHED = "finished";

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

    /**
     * What the run is made from. The hashes of its files, null as yet, follow: training does not wait for gigabytes to be read.
     *
     * @param facts the values that tell most, for instance the seed
     * @param inputs files of models and recipes
     */
    public void describe(ObjectNode facts, Collection<Path> inputs) {
        root.setAll(facts);
        ObjectNode files = root.putObject("files");
        new TreeSet<>(inputs).forEach(input -> files.putNull(input.toString()));
    }

    /**
     * The data of the run; each file is hashed as well, unless these are too many bytes.
     *
     * @param key for instance {@code images}
     * @param count of samples
     * @param patterns as they were given
     * @param files that hold the samples
     * @param notRead how many files were passed over, by suffix
     */
    public void describeData(
            String key, long count, List<String> patterns, Collection<Path> files, Map<String, Integer> notRead) {
        ObjectNode data = root.putObject(key);
        data.put("count", count);
        patterns.forEach(data.putArray("patterns")::add);
        data.set("notRead", JSON.valueToTree(notRead));
        TreeSet<Path> sorted = new TreeSet<>(files);
        StringBuilder names = new StringBuilder();
        long bytes = 0;
        for (Path file : sorted) {
            long size = size(file);
            bytes += size;
            names.append(file).append(' ').append(size).append('\n');
        }
        data.put("bytes", bytes);
        data.put("namesAndSizesSha256", Sha256.of(names.toString().getBytes(StandardCharsets.UTF_8)));
        if (bytes <= HASHED_DATA_BYTES) {
            ObjectNode listed = data.putObject("files");
            sorted.forEach(file -> listed.putNull(file.toString()));
        }
    }

    /**
     * Files of the data that lie on servers.
     *
     * @param key as of {@link #describeData}
     * @param files by address, without what signs it: bytes and version
     */
    public void describeRemote(String key, ObjectNode files) {
        if (!files.isEmpty()) {
            root.withObject("/" + key).set("remote", files);
        }
    }

    /** What was assumed of the models because no file tells it. */
    public void assume(List<String> assumptions) {
        assumptions.forEach(root.putArray("assumptions")::add);
    }

    /** Whether it says what the run is made from, with every hash. */
    public boolean isDescribed() {
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
        return Stream.concat(Stream.of(root.path("files")), root.valueStream().map(part -> part.path("files")))
                .filter(JsonNode::isObject)
                .map(ObjectNode.class::cast);
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

    /** What the process took of a GPU, beside its session; nothing of a process without one. */
    void endSession(Optional<GpuMemory> gpu) {
        ArrayNode sessions = root.withArray("sessions");
        if (gpu.isPresent() && !sessions.isEmpty()) {
            ObjectNode session = (ObjectNode) sessions.get(sessions.size() - 1);
            gpu.get().peaks().forEach(session::put);
        }
    }

    /** The samples that were left out, as lines for {@link #addSkipped} of another process. */
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

    /** A sample that was left out; each is listed once. */
    public void skip(String name, String reason) {
        skipped.putIfAbsent(name, reason);
    }

    /** Samples left out so far. */
    public int skippedCount() {
        return skipped.size();
    }

    /** Whether the run has reached its end. */
    boolean isFinished() {
        return root.has(FINISHED);
    }

    /** The run has reached its end. */
    void finish() {
        root.put(FINISHED, Instant.now().toString());
    }

    /** A fact about the run. */
    public void put(String key, String value) {
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
