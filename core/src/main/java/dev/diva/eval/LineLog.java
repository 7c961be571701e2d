package dev.diva.eval;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A text file that grows by lines, each on disk before the next is begun, so that killed work is continued. One process writes it.
 */
public final class LineLog implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final List<String> found;

    /**
     * Opens or creates the file; a last line that a killed run cut short is cut off.
     *
     * @param content what the lines are, for the message
     * @throws BadInputException when it cannot be written or another process writes it
     */
    public LineLog(Path file, String content) {
        this.file = file;
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            this.channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be written: " + e.getMessage(), e);
        }
        try {
            if (tryLock() == null) {
                throw new BadInputException(file + ": another process is writing these " + content);
            }
            this.found = wholeLines();
        } catch (IOException e) {
            close();
            throw new BadInputException(file + ": cannot be continued: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private FileLock tryLock() throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private List<String> wholeLines() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        List<String> lines = new ArrayList<>();
        int start = 0;
        for (int end = next(bytes, start); end < bytes.length; start = end + 1, end = next(bytes, start)) {
            lines.add(new String(bytes, start, end - start, StandardCharsets.UTF_8));
        }
        if (start < bytes.length) {
            channel.truncate(start);
            channel.force(true);
        }
        channel.position(start);
        return lines;
    }

    private static int next(byte[] bytes, int from) {
        int at = from;
        while (at < bytes.length && bytes[at] != '\n') {
            at++;
        }
        return at;
    }

    /** The whole lines that were there when it was opened. */
    public List<String> found() {
        return found;
    }

    /** Puts a line on disk; it ends without a line feed. */
    public void add(String line) {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(line + "\n");
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(false);
        } catch (IOException e) {
            throw new BadInputException(
                    file + ": cannot be written: " + e.getMessage() + "; what was written before is kept", e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be closed: " + e.getMessage(), e);
        }
    }
}
