package dev.diva.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Brings a model from the hub into the cache of the hub's own tools, laid out as they do. A file has its final name only when its size
 * and hash are right; what was cut off is gone on with the next time.
 */
public final class Pull {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HubCache cache;
    private final HubClient client;
    private final Listener listener;

    /** Hears how far it is. */
    public interface Listener {
        /**
         * Before the first byte.
         *
         * @param bytes of all of them together
         */
        void start(int files, long bytes);

        /** So many bytes of all files are there; now a file is being brought. */
        void at(long bytes, String file);
    }

    /**
     * With the cache, hub, token and proxies of an environment.
     *
     * @throws BadInputException if it forbids the network or names no usable hub
     */
    public Pull(Map<String, String> environment, Listener listener) {
        this.cache = HubCache.of(environment);
        this.client = new HubClient(environment);
        this.listener = listener;
    }

    /**
     * Brings what is missing.
     *
     * @param include globs of file names, as of a shell, without folders also for files inside of some; none for all files
     * @return the model's folder in the cache
     * @throws BadInputException if there is no such model, no file that is included, or no access
     */
    public Path pull(HubName name, List<String> include) {
        Path model = cache.root().resolve(name.folder());
        try {
            JsonNode revision = revision(name);
            String commit = revision.path("sha").asText();
            if (!commit.matches("[0-9a-f]{40,64}")) {
                throw new BadInputException(name + ": the hub names no commit; is HF_ENDPOINT a hub?");
            }
            List<String> names = included(revision, include, name);
            Path blobs = Files.createDirectories(model.resolve("blobs"));
            try (FileChannel lock = FileChannel.open(
                            Files.createDirectories(
                                            cache.root().resolve(".locks").resolve(name.folder()))
                                    .resolve("diva.lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
                    FileLock held = lock(lock, name)) {
                bring(
                        files(name, commit, names),
                        blobs,
                        model.resolve(HubCache.SNAPSHOTS).resolve(commit));
                if (!name.revision().equals(commit)) {
                    writeRef(model.resolve("refs").resolve(name.revision()), commit);
                }
            }
            return model.resolve(HubCache.SNAPSHOTS).resolve(commit);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FileLock lock(FileChannel channel, HubName name) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return lock;
            }
        } catch (OverlappingFileLockException e) {
            throw new BadInputException(name + ": is being brought by this process already", e);
        }
        throw new BadInputException(name + ": is being brought by another diva pull; wait for it");
    }

    private JsonNode revision(HubName name) throws IOException {
        URI uri = client.at("/api/models/" + name.id() + "/revision/" + quoted(name.revision(), true));
        HttpResponse<InputStream> response = client.get(uri, 0);
        try (InputStream body = response.body()) {
            requireFound(response, name);
            return JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw new BadInputException(
                    name + ": " + uri.getHost()
                            + " answers with no JSON; is HF_ENDPOINT a hub, and no login or proxy in between?",
                    e);
        }
    }

    private void requireFound(HttpResponse<?> response, HubName name) throws IOException {
        String access = client.hasToken()
                ? "the token has no access to it; accept its terms on its page, or use another token"
                : "set HF_TOKEN, and accept its terms on its page if it has some";
        switch (response.statusCode()) {
            case 200 -> {}
            case 401 -> throw new BadInputException(name + ": no such model, or one that needs a token: " + access);
            case 403 -> throw new BadInputException(name + ": the hub refuses access: " + access);
            case 404 ->
                throw new BadInputException(name + ": the hub has no such model or revision"
                        + response.headers()
                                .firstValue("X-Error-Message")
                                .map(text -> " (" + text.replaceAll("\\s+", " ") + ")")
                                .orElse(""));
            default -> throw new IOException(name + ": the hub answers " + response.statusCode());
        }
    }

    private static List<String> included(JsonNode revision, List<String> include, HubName name) {
        List<PathMatcher> globs = include.stream()
                .map(glob ->
                        FileSystems.getDefault().getPathMatcher("glob:" + (glob.contains("/") ? "" : "{,**/}") + glob))
                .toList();
        List<String> names = new ArrayList<>();
        for (JsonNode sibling : revision.path("siblings")) {
            String file = sibling.path("rfilename").asText();
            if (globs.isEmpty() || globs.stream().anyMatch(glob -> glob.matches(Path.of(file)))) {
                names.add(requireInside(file, name));
            }
        }
        if (names.isEmpty()) {
            throw new BadInputException(name + ": the model has no file"
                    + (include.isEmpty() ? "" : " that --include " + String.join(" ", include) + " takes"));
        }
        return names;
    }

    private static String requireInside(String file, HubName name) {
        boolean isInside = Arrays.stream(file.split("/", -1))
                .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals("..") || part.contains("\\"));
        if (!isInside) {
            throw new BadInputException(name + ": the hub names a file outside of the model: " + file);
        }
        return file;
    }

    private List<HubFile> files(HubName name, String commit, List<String> names) throws IOException {
        List<HubFile> files = new ArrayList<>();
        for (String file : names) {
            URI uri = client.at("/" + name.id() + "/resolve/" + commit + "/" + quoted(file, false));
            HttpResponse<InputStream> response = client.head(uri);
            if (response.statusCode() / 100 != 3) { // a redirect to where large files are is an answer
                requireFound(response, name);
            }
            files.add(HubFile.of(file, uri, response));
        }
        return files;
    }

    private void bring(List<HubFile> files, Path blobs, Path snapshot) throws IOException {
        listener.start(
                files.size(),
                files.stream().mapToLong(file -> Math.max(0, file.size())).sum());
        long before = 0;
        for (HubFile file : files) {
            Path blob = blobs.resolve(file.etag());
            if (!Files.exists(blob)) {
                Path incomplete = blobs.resolve(file.etag() + ".incomplete");
                long earlier = before;
                file.bring(client, incomplete, bytes -> listener.at(earlier + bytes, file.name()));
                Files.move(incomplete, blob, StandardCopyOption.ATOMIC_MOVE);
            }
            link(snapshot, file.name(), blob);
            before += Files.size(blob);
            listener.at(before, file.name());
        }
    }

    /** A relative link, so that the cache can be moved; a copy where the file system has no links. */
    private static void link(Path snapshot, String name, Path blob) throws IOException {
        Path link = snapshot.resolve(name);
        Files.createDirectories(link.getParent());
        Path fresh = link.resolveSibling(link.getFileName() + ".incomplete");
        Files.deleteIfExists(fresh);
        try {
            Files.createSymbolicLink(fresh, link.getParent().relativize(blob));
        } catch (UnsupportedOperationException e) {
            Files.copy(blob, fresh);
        }
        Files.move(fresh, link, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void writeRef(Path ref, String commit) throws IOException {
        Files.createDirectories(ref.getParent());
        Path fresh = ref.resolveSibling(ref.getFileName() + ".incomplete");
        Files.writeString(fresh, commit);
        Files.move(fresh, ref, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String quoted(String path, boolean slashes) {
        return Arrays.stream(slashes ? new String[] {path} : path.split("/"))
                .map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"))
                .collect(Collectors.joining("/"));
    }
}
