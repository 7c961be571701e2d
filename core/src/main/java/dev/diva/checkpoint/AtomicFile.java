package dev.diva.checkpoint;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
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

    /**
     * Writes to a temporary file in the same folder, forces it to disk, then renames it over the target.
     *
     * @throws BadInputException when the folder cannot be written or the disk is full; the old file is then untouched
     */
    public static void write(Path target, Body body) {
        Path folder = target.toAbsolutePath().getParent();
        Path temporary = null;
        try {
            Files.createDirectories(folder);
            temporary = Files.createTempFile(folder, "." + target.getFileName(), ".tmp");
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                body.write(channel);
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            temporary = null;
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be written: " + e.getMessage(), e);
        } finally {
            deleteQuietly(temporary);
        }
    }

    /** The same for text in UTF-8. */
    public static void writeString(Path target, String text) {
        write(target, channel -> {
            var bytes = java.nio.charset.StandardCharsets.UTF_8.encode(text);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        });
    }

    private static void deleteQuietly(Path temporary) {
        try {
            if (temporary != null) {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            temporary.toFile().deleteOnExit();
        }
    }
}
