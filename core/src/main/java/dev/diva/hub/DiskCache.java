package dev.diva.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Parts of files in a folder, together never more than so many bytes: what was not asked for the longest goes first. For any number of
 * threads and processes; a kill leaves whole parts and at most one begun file, which counts and is removed when room is made.
 */
final class DiskCache {
    private static final Pattern OURS = Pattern.compile("[0-9a-f]{32}-[a-z0-9]+(\\.tmp)?");
    private static final String BEGUN = ".tmp";
    /** Room is made for some parts at once, as the folder is listed for it. */
    private static final double FULL = 0.95;

    private static final int WRITING = 0; // the lock that whoever writes holds

    private final Path folder;
    private final long limit;
    private FileLocks locks; // null until the folder is there
    private boolean isListed; // guarded by the lock

    /** A file of the folder. */
    private record Part(Path file, long size, FileTime used) {
        /** Small and dear, made of a whole file: goes last. */
        boolean isNote() {
            return !file.toString().matches(".*-\\d+");
        }
    }

    DiskCache(Path folder, long limit) {
        this.folder = folder;
        this.limit = limit;
    }

    Path folder() {
        return folder;
    }

    /** Whether parts of so many bytes can all be there at once. */
    boolean holds(long bytes) {
        return bytes <= limit * 0.9;
    }

    long limit() {
        return limit;
    }

    /** Fills a buffer from a place of a part; false, with the buffer as it was, where the part is not there. */
    boolean read(String key, long at, ByteBuffer into) {
        Path file = folder.resolve(key);
        int start = into.position();
        try (FileChannel channel = FileChannel.open(file)) {
            while (into.hasRemaining()) {
                if (channel.read(into, at + into.position() - start) < 0) {
                    into.position(start);
                    return false;
                }
            }
            touch(file);
            return true;
        } catch (NoSuchFileException e) {
            into.position(start);
            return false;
        } catch (IOException e) {
            throw failure("read", e);
        }
    }

    boolean has(String key) {
        return Files.exists(folder.resolve(key));
    }

    /** A part as it is, or null. */
    byte[] find(String key) {
        Path file = folder.resolve(key);
        try {
            byte[] bytes = Files.readAllBytes(file);
            touch(file);
            return bytes;
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw failure("read", e);
        }
    }

    private static void touch(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis()));
        } catch (IOException e) {
            // another process has just removed it
        }
    }

    /** A part, made and kept where it is not there; no other thread or process makes it meanwhile. */
    byte[] get(String key, Supplier<byte[]> maker) {
        int number = 1 + Math.floorMod(key.hashCode(), FileLocks.COUNT - 1);
        try {
            return locks().holding(number, () -> {
                byte[] there = find(key);
                if (there != null) {
                    return there;
                }
                byte[] made = maker.get();
                put(key, made);
                return made;
            });
        } catch (IOException e) {
            throw failure("written", e);
        }
    }

    /** Keeps a part, unless it is there or larger than the whole. */
    void put(String key, byte[] bytes) {
        try {
            locks().holding(WRITING, () -> {
                if (!Files.exists(folder.resolve(key))) {
                    write(key, bytes);
                }
                return null;
            });
        } catch (IOException e) {
            throw failure("written", e);
        }
    }

    private void write(String key, byte[] bytes) throws IOException {
        long used = locks.number();
        if (!isListed || used < 0 || used + bytes.length > limit) {
            used = makeRoom(bytes.length);
            isListed = true;
        }
        if (used + bytes.length > limit) {
            return;
        }
        locks.writeNumber(used + bytes.length); // first: after a kill it is too much and never too little
        Path begun = folder.resolve(key + BEGUN);
        try {
            Files.write(begun, bytes);
            Files.move(begun, folder.resolve(key), StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(begun);
        }
    }

    /** Removes parts until so many bytes fit; the bytes that stay. */
    private long makeRoom(long bytes) throws IOException {
        List<Part> parts = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (name.endsWith(BEGUN) && OURS.matcher(name).matches()) {
                    Files.deleteIfExists(file); // nobody else is writing
                } else if (OURS.matcher(name).matches()) {
                    parts.add(new Part(file, Files.size(file), Files.getLastModifiedTime(file)));
                }
            }
        }
        long used = parts.stream().mapToLong(Part::size).sum();
        if (used + bytes > limit) {
            parts.sort(Comparator.comparing(Part::isNote).thenComparing(Part::used));
            for (Part part : parts) {
                if (used + bytes <= limit * FULL) {
                    break;
                }
                Files.deleteIfExists(part.file);
                used -= part.size;
            }
        }
        locks.writeNumber(used);
        return used;
    }

    private synchronized FileLocks locks() throws IOException {
        if (locks == null) {
            Files.createDirectories(folder);
            locks = FileLocks.of(folder.resolve("lock"));
        }
        return locks;
    }

    private UncheckedIOException failure(String done, IOException e) {
        return new UncheckedIOException(new IOException(
                folder + ": the cache of remote data cannot be " + done + ": " + Web.reason(e)
                        + "; choose another --data-cache or a smaller --data-cache-size",
                e));
    }
}
