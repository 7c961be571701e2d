package dev.diva.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A file or folder on its way to a target: hidden beside it, under a name that nothing else has, with the rights that the umask gives.
 * Unless it was renamed it is gone when it is closed, and when the program ends, also by SIGINT or SIGTERM.
 */
public final class Temporary implements AutoCloseable {
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();
    private static volatile boolean ending;

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(Temporary::end, "temporary-files"));
    }

    private final Path path;

    private Temporary(Path path) {
        this.path = path;
    }

    private interface Maker {
        void make(Path path) throws IOException;
    }

    /**
     * A new file.
     *
     * @param suffix what the hidden name ends with, for instance {@code .tmp}
     */
    public static Temporary file(Path target, String suffix) throws IOException {
        return make(
                target,
                suffix,
                path -> FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)
                        .close());
    }

    /** A new folder. */
    public static Temporary folder(Path target) throws IOException {
        return make(target, ".tmp", Files::createDirectory);
    }

    /** A file under a name of its own choice, there already or to come, that is to go when the program ends. */
    public static Temporary adopt(Path path) {
        OPEN.add(path);
        return new Temporary(path);
    }

    private static Temporary make(Path target, String suffix, Maker maker) throws IOException {
        Path parent = Files.createDirectories(target.toAbsolutePath().getParent());
        while (true) {
            String random = Long.toHexString(ThreadLocalRandom.current().nextLong());
            Path path = parent.resolve("." + target.getFileName() + "." + random + suffix);
            OPEN.add(path);
            try {
                if (ending) {
                    throw new IOException("the program is ending");
                }
                maker.make(path);
                return new Temporary(path);
            } catch (FileAlreadyExistsException e) {
                OPEN.remove(path); // somebody else's
            } catch (IOException e) {
                OPEN.remove(path);
                throw e;
            }
        }
    }

    /** Where it lies. */
    public Path path() {
        return path;
    }

    /** Leaves it where it is. */
    public void keep() {
        OPEN.remove(path);
    }

    /** Deletes it, with all that is in it, unless it was renamed. */
    @Override
    public void close() {
        if (OPEN.contains(path)) {
            delete(path);
            OPEN.remove(path);
        }
    }

    private static void end() {
        ending = true;
        OPEN.forEach(Temporary::delete);
    }

    private static void delete(Path path) {
        try (Stream<Path> walk = Files.exists(path) ? Files.walk(path) : Stream.empty()) {
            List<Path> paths = walk.sorted(Comparator.reverseOrder()).toList();
            for (Path each : paths) {
                Files.deleteIfExists(each);
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            path.toFile().deleteOnExit(); // a file that Windows does not let go of yet
        }
    }
}
