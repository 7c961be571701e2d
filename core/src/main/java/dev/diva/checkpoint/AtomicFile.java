package dev.diva.checkpoint;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Writes a file so that at any moment either the old one or the complete new one is there. */
public final class AtomicFile {
    private AtomicFile() {}

    /** Fills an open channel. */
    public interface Body {
        void write(FileChannel channel) throws IOException;
    }

    private interface Rename {
        void move(Path from, Path to) throws IOException;
    }

    /**
     * Writes to a temporary file in the same folder, forces it to disk, then renames it over the target.
     *
     * @throws BadInputException when the folder cannot be written or the disk is full; the old file is then untouched
     */
    public static void write(Path target, Body body) {
        write(
                real(target),
                body,
                (from, to) ->
                        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING));
    }

    /**
     * The same where there must be no file yet.
     *
     * @throws BadInputException when there is one by now; it is untouched
     */
    public static void writeNew(Path target, Body body) {
        write(target, body, AtomicFile::moveNew);
    }

    /**
     * Tells before the work that what comes of it cannot be written: there must be nothing of that name yet.
     *
     * @param option that names the target
     * @throws BadInputException when there is something
     */
    public static void requireNew(Path target, String option) {
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new BadInputException(target + ": exists; give another " + option + " or remove it");
        }
    }

    /**
     * Copies a file with the rights that the umask gives, whatever those of the original are: a copy of what its owner alone may read is
     * there for the readers of its folder.
     */
    public static void copy(Path from, Path to) {
        write(to, channel -> {
            try (FileChannel source = FileChannel.open(from)) {
                for (long at = 0; at < source.size(); ) {
                    at += source.transferTo(at, source.size() - at, channel);
                }
            }
        });
    }

    private static void write(Path target, Body body, Rename rename) {
        Path folder = target.toAbsolutePath().getParent();
        try {
            Files.createDirectories(folder);
            try (Temporary temporary = Temporary.file(target, ".tmp")) {
                try (FileChannel channel = FileChannel.open(temporary.path(), StandardOpenOption.WRITE)) {
                    body.write(channel);
                    channel.force(true);
                }
                rename.move(temporary.path(), target);
            }
        } catch (FileAlreadyExistsException e) {
            throw new BadInputException(target + ": appeared meanwhile and is not replaced", e);
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** A link to a file stays a link. */
    private static Path real(Path target) {
        try {
            return Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** A rename would replace; a second name for the file fails where the name is taken. */
    private static void moveNew(Path from, Path to) throws IOException {
        try {
            Files.createLink(to, from);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (IOException | UnsupportedOperationException e) { // not every file system has links
            Files.move(from, to);
        }
    }

    /** The same from memory. */
    public static void write(Path target, byte... bytes) {
        write(target, channel -> writeAll(channel, bytes));
    }

    /** The same from memory, where there must be no file yet. */
    public static void writeNew(Path target, byte... bytes) {
        writeNew(target, channel -> writeAll(channel, bytes));
    }

    private static void writeAll(FileChannel channel, byte... bytes) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        while (rest.hasRemaining()) {
            channel.write(rest);
        }
    }

    /** The same for text in UTF-8. */
    public static void writeString(Path target, String text) {
        write(target, text.getBytes(StandardCharsets.UTF_8));
    }
}
