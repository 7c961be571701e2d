package dev.diva.hub;

import dev.diva.BadInputException;
import dev.diva.Sha256;
import dev.diva.hub.RemoteSource.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * A file behind an address, read by ranges: blocks are kept on this machine, known by the file's address, version and size. Any number of
 * threads may read. What goes wrong with the network once the file is known is an {@link UncheckedIOException}, as is a file that
 * changes: neither is a reason to leave a sample out.
 */
public final class RemoteFile {
    private static final int PROBE = 64 << 10;

    private final RemoteFiles files;
    private final String address;
    private State state; // null until it is asked for

    /**
     * What the server says of it.
     *
     * @param id of its parts in the cache
     * @param hasRanges whether the server gives parts of it
     */
    private record State(long size, String version, String id, boolean hasRanges) {}

    RemoteFile(RemoteFiles files, String address) {
        this.files = files;
        this.address = address;
    }

    /** The address as it may be shown. */
    public String name() {
        return Address.withoutSecrets(address);
    }

    /**
     * Bytes.
     *
     * @throws BadInputException when there is no such file, it is refused, or it is a web page
     */
    public long size() {
        return state().size;
    }

    /** Whether the server has it. */
    public boolean exists() {
        try {
            state();
            return true;
        } catch (MissingFileException e) {
            return false;
        }
    }

    /** What changes with its content: entity tag or date; empty where the server has none. */
    public String version() {
        return state().version;
    }

    /** So many bytes from a place, which are in the file. */
    public byte[] read(long from, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        fill(from, bytes, true);
        return bytes.array();
    }

    /** The whole file in order, or from any place: block by block. */
    public SeekableByteChannel channel() {
        return new RemoteChannel(this);
    }

    /** Something small that was made of the file and kept in the cache, or null. */
    public byte[] note(String kind) {
        return files.cache().find(key(kind));
    }

    /** Keeps it. */
    public void putNote(String kind, byte[] bytes) {
        files.cache().put(key(kind), bytes);
    }

    /**
     * Fills a buffer from a place, with bytes that are in the file.
     *
     * @param few whether what is around them may never be asked for
     */
    void fill(long from, ByteBuffer into, boolean few) {
        State known = state();
        int block = files.block();
        long at = from;
        while (into.hasRemaining()) {
            int start = (int) (at % block);
            int count = Math.min(into.remaining(), block - start);
            ByteBuffer part = into.slice(into.position(), count);
            String key = key(Long.toString(at / block));
            if (!files.cache().read(key, start, part)) {
                if (few && known.hasRanges && !files.fit()) {
                    into.put(bring(at, into.remaining()));
                    return;
                }
                long index = at / block;
                part.put(files.cache().get(key, () -> block(index)), start, count);
            }
            into.position(into.position() + count);
            at += count;
        }
    }

    private String key(String part) {
        return state().id + "-" + part;
    }

    private byte[] block(long index) {
        long from = index * files.block();
        int count = (int) Math.min(files.block(), state.size - from);
        return state.hasRanges ? bring(from, count) : bringWhole(index);
    }

    private synchronized State state() {
        if (state == null) {
            state = tried(this::open);
            files.count(state.size);
        }
        return state;
    }

    private interface Attempt<T> {
        T make() throws IOException;
    }

    /** Tries again while connections break. */
    private <T> T tried(Attempt<T> attempt) {
        for (int i = 1; ; i++) {
            try {
                return attempt.make();
            } catch (IOException e) {
                if (i == files.patience().tries()) {
                    throw new UncheckedIOException(new IOException(name() + ": " + Web.reason(e), e));
                }
                files.patience().pause(i);
            }
        }
    }

    private State open() throws IOException {
        int probe = Math.min(PROBE, files.block());
        try (Answer answer = files.source(address).get(address, 0, probe)) {
            State found = new State(answer.size(), answer.version(), id(answer), !answer.isWhole());
            if (answer.isWhole()) {
                long size = isKept(found) ? found.size : keepWhole(answer, found.id, -1).size;
                return new State(size, found.version, found.id, false);
            }
            byte[] start = readAll(answer, (int) Math.min(probe, found.size));
            requireNoPage(start);
            if (start.length == found.size) {
                files.cache().put(found.id + "-0", start);
            }
            return found;
        }
    }

    /** Whether all blocks are there, of a version that can be told from others. */
    private boolean isKept(State found) {
        for (long index = 0; index * files.block() < found.size; index++) {
            if (!files.cache().has(found.id + "-" + index)) {
                return false;
            }
        }
        return found.size >= 0 && !found.version.isEmpty();
    }

    private String id(Answer answer) {
        String unlikeOthers = answer.version().isEmpty() ? address : name();
        String text = unlikeOthers + "\n" + answer.version() + "\n" + answer.size();
        return Sha256.of(text, 32);
    }

    private void requireNoPage(byte... start) {
        String text = new String(start, 0, Math.min(start.length, 256), StandardCharsets.ISO_8859_1)
                .stripLeading()
                .toLowerCase(Locale.ROOT);
        if (text.startsWith("<!doctype html") || text.startsWith("<html")) {
            throw new BadInputException(name() + ": is a web page; give the address of the file itself");
        }
    }

    private static byte[] readAll(Answer answer, int count) throws IOException {
        byte[] bytes = answer.bytes().readNBytes(count);
        if (bytes.length < count) {
            throw new IOException("the connection ended after " + bytes.length + " of " + count + " bytes");
        }
        return bytes;
    }

    /** A part by a range; goes on where a connection breaks. */
    private byte[] bring(long from, int count) {
        byte[] bytes = new byte[count];
        int[] done = new int[1];
        return tried(() -> {
            try (Answer answer = known(files.source(address).get(address, from + done[0], count - done[0]))) {
                if (answer.isWhole()) {
                    answer.bytes().skipNBytes(from + done[0]);
                }
                while (done[0] < count) {
                    int read = answer.bytes().read(bytes, done[0], count - done[0]);
                    if (read < 0) {
                        throw new IOException("the connection ended after " + done[0] + " of " + count + " bytes");
                    }
                    done[0] += read;
                }
                return bytes;
            } catch (BadInputException e) {
                throw new UncheckedIOException(new IOException(e.getMessage(), e));
            }
        });
    }

    /** An answer of the file that was opened. */
    private Answer known(Answer answer) throws IOException {
        if ((answer.size() < 0 || answer.size() == state.size)
                && answer.version().equals(state.version)) {
            return answer;
        }
        answer.close();
        throw new UncheckedIOException(
                new IOException(name() + ": changed while it was read (" + words(state.size, state.version) + ", now "
                        + words(answer.size(), answer.version()) + "); start again when it stays as it is"));
    }

    private static String words(long size, String version) {
        return size + " bytes" + (version.isEmpty() ? "" : ", " + version);
    }

    private byte[] bringWhole(long wanted) {
        return tried(() -> {
            try (Answer answer = known(files.source(address).get(address, 0, Math.max(1, state.size)))) {
                return keepWhole(answer, state.id, wanted).wanted;
            }
        });
    }

    private record Whole(long size, byte[] wanted) {}

    /** Keeps all of a file whose server gives no parts; the block that is wanted at once. */
    private Whole keepWhole(Answer answer, String id, long wanted) throws IOException {
        requireRoom(answer.size());
        byte[] kept = null;
        long size = 0;
        for (long index = 0; ; index++) {
            byte[] block = answer.bytes().readNBytes(files.block());
            size += block.length;
            requireRoom(size);
            if (index == 0) {
                requireNoPage(block);
            }
            if (index == wanted) {
                kept = block;
            }
            if (block.length > 0) {
                files.cache().put(id + "-" + index, block);
            }
            if (block.length < files.block()) {
                break;
            }
        }
        if (answer.size() >= 0 && size < answer.size()) {
            throw new IOException("the connection ended after " + size + " of " + answer.size() + " bytes");
        }
        return new Whole(size, kept);
    }

    private void requireRoom(long size) {
        if (!files.cache().holds(size)) {
            throw new BadInputException(name() + ": the server gives no parts of files (ranges), and the whole of "
                    + size + " bytes has no room in the cache of "
                    + files.cache().limit()
                    + "; raise --data-cache-size or copy the file first");
        }
    }
}
