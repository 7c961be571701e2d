package dev.diva.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Numbered locks between the threads of all processes that share a file, which the system gives back even after {@code kill -9}. One object
 * a file in a process: closing any channel of a file gives back all locks of the process on it.
 */
final class FileLocks {
    /** How many there are. */
    static final int COUNT = 256;

    private static final long FIRST = 1 << 20; // behind what is written
    private static final Map<Path, FileLocks> ALL = new ConcurrentHashMap<>();

    private final Path file;
    private final Object[] monitors = Stream.generate(Object::new).limit(COUNT).toArray();
    private FileChannel channel; // or null

    private FileLocks(Path file) {
        this.file = file;
    }

    /** Those of a file, which is made when the first is taken. */
    static FileLocks of(Path file) {
        return ALL.computeIfAbsent(file.toAbsolutePath().normalize(), FileLocks::new);
    }

    /** Does something while holding a lock; one thread may hold several, but none twice. */
    <T> T holding(int number, Callable<T> work) throws IOException {
        synchronized (monitors[number]) {
            FileLock lock = lock(number);
            try {
                return work.call();
            } catch (IOException | RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            } finally {
                release(lock);
            }
        }
    }

    private FileLock lock(int number) throws IOException {
        while (true) {
            try {
                return channel().lock(FIRST + number, 1, false);
            } catch (AsynchronousCloseException e) { // another thread was interrupted while it waited, or this one
                if (Thread.currentThread().isInterrupted()) {
                    throw e;
                }
            }
        }
    }

    private static void release(FileLock lock) {
        try {
            if (lock.isValid()) {
                lock.release();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private synchronized FileChannel channel() throws IOException {
        if (channel == null || !channel.isOpen()) {
            channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        }
        return channel;
    }

    /** A number that all processes share, -1 as long as none was written. */
    long number() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
        return channel().read(bytes, 0) == Long.BYTES ? bytes.getLong(0) : -1;
    }

    void writeNumber(long value) throws IOException {
        channel().write(ByteBuffer.allocate(Long.BYTES).putLong(0, value), 0);
    }
}
