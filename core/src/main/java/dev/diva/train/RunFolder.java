package dev.diva.train;

import dev.diva.BadInputException;
import dev.diva.engine.ProcessGroup;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The folder of a run, locked for one process: a lock that the system gives back even after {@code kill -9}. */
public final class RunFolder implements AutoCloseable {
    private static final String LOCK = ".lock";
    private static final String RECIPE = "recipe.yaml";
    private static final String MANIFEST = "manifest.json";

    private final Path folder;
    private final FileChannel lock;

    private RunFolder(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /**
     * The folder of a run, in each of its processes.
     *
     * @param resume whether the run is there and goes on
     * @throws BadInputException when it cannot be, or a new run finds something in it
     */
    public static RunFolder open(Path folder, boolean resume, ProcessGroup processGroup) {
        if (!processGroup.isFirst()) {
            return new RunFolder(folder, null); // the first one holds the lock and writes
        }
        return resume ? reopen(folder) : create(folder);
    }

    /**
     * The same of a launch.
     *
     * @param differences between the recipe of the run that goes on and the one that is asked for now
     * @throws BadInputException also when there are some
     */
    public static RunFolder open(Launch launch, ProcessGroup processGroup, Supplier<List<String>> differences) {
        RunFolder folder = open(launch.out(), launch.resume(), processGroup);
        try {
            if (launch.resume() && processGroup.isFirst()) {
                requireSameRecipe(launch.out(), differences.get());
            }
            return folder;
        } catch (RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    private static void requireSameRecipe(Path run, List<String> differences) {
        if (!differences.isEmpty()) {
            throw new BadInputException(run + ": was started with another recipe: " + String.join("; ", differences)
                    + ". Resume with the same recipe, or start a new run");
        }
    }

    private static RunFolder create(Path folder) {
        requireFree(folder);
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be made: " + e, e);
        }
        return new RunFolder(folder, lock(folder));
    }

    private static RunFolder reopen(Path folder) {
        recipeOf(folder);
        return new RunFolder(folder, lock(folder));
    }

    /** Whether a folder holds a run that was begun. */
    public static boolean isRun(Path folder) {
        return Files.isRegularFile(folder.resolve(RECIPE));
    }

    /**
     * What decides the run in a folder.
     *
     * @return a file of keys
     * @throws BadInputException when the folder holds no run
     */
    public static Path recipeOf(Path folder) {
        if (!isRun(folder)) {
            throw new BadInputException(
                    folder + ": nothing to resume: no recipe.yaml in it; start the run without --resume");
        }
        return folder.resolve(RECIPE);
    }

    /**
     * Refuses a run that has not reached its end.
     *
     * @throws BadInputException when the folder holds no run, or an unfinished one
     */
    public static void requireFinished(Path folder) {
        if (!isRun(folder)) {
            throw new BadInputException(folder + ": no run: no recipe.yaml in it");
        }
        Path manifest = folder.resolve(MANIFEST);
        if (!Files.isRegularFile(manifest) || !new Manifest(manifest).isFinished()) {
            throw new BadInputException(folder
                    + ": the run is not finished; go on with it by the same command with --resume --out " + folder);
        }
    }

    /**
     * Refuses a folder that holds anything.
     *
     * @throws BadInputException when it does
     */
    public static void requireFree(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            if (entries.anyMatch(entry -> !entry.getFileName().toString().equals(LOCK))) {
                throw new BadInputException(folder + ": in use already; choose another --out"
                        + (isRun(folder) ? ", or continue its run with --resume" : ""));
            }
        } catch (IOException e) {
            throw new BadInputException(folder + ": is no folder that can be listed: " + e, e);
        }
    }

    private static FileChannel lock(Path folder) {
        try {
            FileChannel channel =
                    FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (channel.tryLock() == null) {
                channel.close();
                throw inUse(folder);
            }
            return channel;
        } catch (OverlappingFileLockException e) {
            throw inUse(folder);
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be written: " + e, e);
        }
    }

    private static BadInputException inUse(Path folder) {
        return new BadInputException(folder + ": another process is training in it");
    }

    /** The folder itself. */
    public Path path() {
        return folder;
    }

    /** {@code recipe.yaml}: everything that decides the run. */
    public Path recipe() {
        return folder.resolve(RECIPE);
    }

    /** {@code manifest.json}. */
    public Path manifest() {
        return folder.resolve(MANIFEST);
    }

    /** {@code metrics.jsonl}. */
    public Path metrics() {
        return folder.resolve("metrics.jsonl");
    }

    /** {@code measures.jsonl}. */
    public Path measures() {
        return folder.resolve("measures.jsonl");
    }

    /** Checkpoints, one folder each. */
    public Path checkpoints() {
        return folder.resolve("checkpoints");
    }

    @Override
    public void close() {
        try {
            if (lock != null) {
                lock.close();
            }
        } catch (IOException e) {
            throw new BadInputException(folder + ": the lock cannot be given back: " + e, e);
        }
    }
}
