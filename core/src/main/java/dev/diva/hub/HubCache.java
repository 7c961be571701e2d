package dev.diva.hub;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The cache of the hub's own tools: {@code models--ORG--NAME/{refs/REVISION, snapshots/COMMIT/FILE, blobs/ETAG}}, the files of a
 * snapshot being relative links to blobs. Only read here.
 *
 * @param root the folder that holds {@code models--*}
 */
public record HubCache(Path root) {
    static final String SNAPSHOTS = "snapshots";

    /** Where the hub's tools keep it: {@code HF_HUB_CACHE}, else {@code HF_HOME/hub}, else {@code ~/.cache/huggingface/hub}. */
    public static HubCache of(Map<String, String> environment) {
        return new HubCache(set(environment, "HF_HUB_CACHE")
                .orElseGet(() -> home(environment).resolve("hub")));
    }

    /** The folder of the hub's tools: {@code HF_HOME}, else {@code huggingface} in the user's cache. */
    static Path home(Map<String, String> environment) {
        return set(environment, "HF_HOME")
                .orElseGet(() -> set(environment, "XDG_CACHE_HOME")
                        .orElseGet(() -> Path.of(System.getProperty("user.home"), ".cache"))
                        .resolve("huggingface"));
    }

    private static Optional<Path> set(Map<String, String> environment, String name) {
        String value = environment.get(name);
        if (value == null || value.isBlank()) {
            return Optional.empty();
        }
        String home = System.getProperty("user.home");
        return Optional.of(Path.of(value.equals("~") || value.startsWith("~/") ? home + value.substring(1) : value));
    }

    /** The folder of a model at a revision, where it was brought once. */
    public Optional<Path> snapshot(HubName name) {
        Path snapshots = root.resolve(name.folder()).resolve(SNAPSHOTS);
        Path folder = snapshots.resolve(commit(name).orElse(name.revision().replace("/", "--")));
        return Files.isDirectory(folder) ? Optional.of(folder) : Optional.empty();
    }

    /** The commits at which the cache has files of a model, whatever its references say. */
    List<String> commits(HubName name) {
        try (Stream<Path> folders = Files.list(root.resolve(name.folder()).resolve(SNAPSHOTS))) {
            return folders.map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of(); // no such model
        }
    }

    private Optional<String> commit(HubName name) {
        Path ref = root.resolve(name.folder()).resolve("refs").resolve(name.revision());
        if (!Files.isRegularFile(ref)) {
            return Optional.empty();
        }
        try {
            String commit = Files.readString(ref).strip();
            if (!commit.matches("[0-9a-f]{7,64}")) {
                throw new BadInputException(ref + ": names no commit; remove it and bring the model again");
            }
            return Optional.of(commit);
        } catch (IOException e) {
            throw new BadInputException(ref + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
