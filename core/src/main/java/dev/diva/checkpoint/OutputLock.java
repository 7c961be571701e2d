package dev.diva.checkpoint;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The right to make a file, for one process: a lock on a small hidden file beside it, which the system gives back even after {@code
 * kill -9}, and which is gone when the program ends.
 */
public final class OutputLock implements AutoCloseable {
    private static final int LONGEST = 1 << 20;

    private final Temporary file; // or null
    private final FileChannel channel; // or null

    private OutputLock(Temporary file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** No lock, for a process that does not write. */
    public static OutputLock none() {
        return new OutputLock(null, null);
    }

    /**
     * Takes the lock.
     *
     * @throws BadInputException when another process has it, or the folder cannot be written
     */
    public static OutputLock of(Path target) {
        try {
            Path path = Files.createDirectories(target.toAbsolutePath().getParent())
                    .resolve("." + target.getFileName() + ".diva-lock");
            while (true) {
                FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                if (!lock(channel)) {
                    channel.close();
                    throw new BadInputException(
                            target + ": another process is writing it; wait for it or choose another --out");
                }
                if (isStillThere(channel, path)) {
                    return new OutputLock(Temporary.adopt(path), channel);
                }
                channel.close(); // the one before us has just removed it
            }
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private static boolean lock(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock(Long.MAX_VALUE - 1, 1, false); // behind what is written to it
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // of this very process
        }
    }

    /**
     * Whether the name still leads to the locked file: the length that the one is given is that of the other. Opening it a second time would
     * give the lock back.
     */
    private static boolean isStillThere(FileChannel channel, Path path) throws IOException {
        int length = ThreadLocalRandom.current().nextInt(1, LONGEST);
        channel.truncate(0).write(ByteBuffer.wrap(new byte[] {'\n'}), length - 1);
        return Files.exists(path) && Files.size(path) == length;
    }

    /** Closing the channel gives the lock back. */
    @Override
    public void close() {
        try {
            if (file != null) {
                file.close();
                channel.close();
            }
        } catch (IOException e) {
            throw new BadInputException(file.path() + ": cannot be closed: " + e.getMessage(), e);
        }
    }
}
