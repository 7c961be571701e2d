package dev.diva.train;

import dev.diva.BadInputException;
import dev.diva.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** SHA-256 of files, computed in the background while models load: gigabytes take seconds. Each file is read once. */
public final class FileHashes implements AutoCloseable {
    private final Map<Path, CompletableFuture<String>> hashes = new ConcurrentHashMap<>();
    private final ExecutorService background = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "file hashes");
        thread.setDaemon(true);
        return thread;
    });

    /** Begins with files that will be asked for. */
    public void start(Collection<Path> files) {
        for (Path file : files) {
            var unused = started(file); // waited for in of()
        }
    }

    /**
     * The hash of a file, in lower-case hex; waits until it is there.
     *
     * @throws BadInputException when the file cannot be read
     */
    public String of(Path file) {
        try {
            return started(file).join();
        } catch (CompletionException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getCause(), e);
        }
    }

    /** The hash of a file that was begun, if it is there by now, or that the file cannot be read. */
    public Optional<String> ready(Path file) {
        CompletableFuture<String> hash = hashes.get(file.toAbsolutePath());
        return hash == null || !hash.isDone()
                ? Optional.empty()
                : Optional.of(hash.exceptionally(e -> "cannot be read").join());
    }

    /** Waits for all that was begun. */
    public void await() {
        hashes.values().forEach(hash -> hash.exceptionally(e -> null).join());
    }

    private CompletableFuture<String> started(Path file) {
        return hashes.computeIfAbsent(
                file.toAbsolutePath(), path -> CompletableFuture.supplyAsync(() -> hash(path), background));
    }

    private static String hash(Path file) {
        try {
            return Sha256.of(file);
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    /** Gives up what has not begun. */
    @Override
    public void close() {
        background.shutdownNow();
    }
}
