package dev.diva.posttrain.run;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.posttrain.recipe.RecipeTree;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/** The folder of a run, locked for one process: a lock that the system gives back even after {@code kill -9}. */
public final class RunFolder implements AutoCloseable {
    private static final String LOCK = ".lock";

    private final Path folder;
    private final FileChannel lock;

    private RunFolder(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /** The folder of a run as its further processes see it: the first one holds the lock and writes. */
    public static RunFolder shared(Path folder) {
        return new RunFolder(folder, null);
    }

    /**
     * A folder for a new run.
     *
     * @throws BadInputException when something is in it
     */
    public static RunFolder create(Path folder) {
        requireFree(folder);
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be made: " + e, e);
        }
        return new RunFolder(folder, lock(folder));
    }

    /**
     * The folder of a run that is to go on.
     *
     * @throws BadInputException when it holds none, or another process works on it
     */
    public static RunFolder reopen(Path folder) {
        return new RunFolder(requireRun(folder), lock(folder));
    }

    /**
     * Refuses a folder that holds no run.
     *
     * @throws BadInputException when it does not
     */
    public static Path requireRun(Path folder) {
        if (!Files.isRegularFile(folder.resolve("recipe.yaml"))) {
            throw new BadInputException(
                    folder + ": nothing to resume: no recipe.yaml in it; start the run without --resume");
        }
        return folder;
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
                throw new BadInputException(
                        folder + ": in use already; choose another --out, or continue its run with --resume");
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

    /** Writes the resolved recipe. */
    public void writeRecipe(RecipeTree recipe) {
        AtomicFile.writeString(folder.resolve("recipe.yaml"), recipe.toYaml());
    }

    /** The recipe that the run was started with. */
    public static RecipeTree readRecipe(Path folder) {
        Path file = folder.resolve("recipe.yaml");
        String preset = RecipeTree.read(file).path("preset").asText("corrected");
        return RecipeTree.preset(preset).with(RecipeTree.read(file), file.toString());
    }

    /** {@code manifest.json}. */
    public Path manifest() {
        return folder.resolve("manifest.json");
    }

    /** {@code metrics.jsonl}. */
    public Path metrics() {
        return folder.resolve("metrics.jsonl");
    }

    /** What the check of the images found. */
    public Path data() {
        return folder.resolve("data.json");
    }

    /** Checkpoints, one folder each. */
    public Path checkpoints() {
        return folder.resolve("checkpoints");
    }

    /** The result. */
    public Path clip() {
        return folder.resolve("clip");
    }

    /** The model with the best held-out score so far. */
    public Path best() {
        return folder.resolve("best");
    }

    /** Scores before, during and after. */
    public Path evaluations() {
        return folder.resolve("evaluations");
    }

    /** The trained projection. */
    public Path projection() {
        return folder.resolve("projection.safetensors");
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
