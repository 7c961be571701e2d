package dev.diva.checkpoint;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Writes a folder so that at any moment either nothing, the old one or the complete new one is there. */
public final class AtomicFolder {
    private AtomicFolder() {}

    /** Fills a new folder. */
    public interface Body {
        void write(Path folder) throws IOException;
    }

    /**
     * Fills a temporary folder beside the target and renames it.
     *
     * @param overwrite whether an existing target is replaced
     * @throws BadInputException when the target exists and must not be replaced, or cannot be written; it is then untouched
     */
    public static void write(Path target, boolean overwrite, Body body) {
        requireFree(target, overwrite);
        Path temporary = null;
        try {
            Path parent = target.toAbsolutePath().getParent();
            Files.createDirectories(parent);
            temporary = Files.createTempDirectory(parent, "." + target.getFileName() + ".tmp");
            body.write(temporary);
            if (Files.exists(target)) {
                Path old = Files.createTempDirectory(parent, "." + target.getFileName() + ".old");
                Files.move(target, old.resolve("old"), StandardCopyOption.ATOMIC_MOVE);
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
                delete(old);
            } else {
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be written: " + e, e);
        } finally {
            if (temporary != null && Files.exists(temporary)) {
                delete(temporary);
            }
        }
    }

    /**
     * Refuses an output that exists.
     *
     * @throws BadInputException when it exists and must not be replaced
     */
    public static void requireFree(Path target, boolean overwrite) {
        if (!overwrite && Files.exists(target)) {
            throw new BadInputException(target + ": exists already; choose another place or add --overwrite");
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> walk = Files.walk(folder)) {
            List<Path> paths = walk.sorted(Comparator.reverseOrder()).toList();
            for (Path path : paths) {
                Files.delete(path);
            }
        } catch (IOException e) {
            folder.toFile().deleteOnExit();
        }
    }
}
