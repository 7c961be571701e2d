package dev.diva.world.pretrain;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder of this process that is gone when it is closed. */
record Scratch(Path folder) implements AutoCloseable {
    static Scratch create() {
        try {
            return new Scratch(Files.createTempDirectory("diva-world"));
        } catch (IOException e) {
            throw new BadInputException("no temporary folder can be made: " + e, e);
        }
    }

    /** Removes a folder with all that is in it. */
    static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be removed: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        delete(folder);
    }
}
