package dev.diva.data;

import dev.diva.BadInputException;
import dev.diva.hub.Address;
import dev.diva.hub.RemoteFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Bytes of one image or other sample file: a whole file, or a range of a tar. Reading opens and closes the file, so entries may be
 * read by any number of threads.
 *
 * @param name path or address, or tar!member
 * @param offset first byte in the file
 * @param length number of bytes, or -1 for the whole file
 */
public record ImageEntry(String name, DataFile file, long offset, long length) {
    /** Longer files and members are refused, so that a hostile one cannot take the memory. */
    public static final long MAX_BYTES = 256L << 20;

    private static final int ATTEMPTS = 3;
    private static final long PAUSE_MILLIS = 50;

    /** A whole file. */
    public static ImageEntry of(Path file) {
        return of(DataFile.of(file));
    }

    /** A whole file. */
    public static ImageEntry of(DataFile file) {
        return new ImageEntry(file.toString(), file, 0, -1);
    }

    /**
     * The entry that bears that name.
     *
     * @param name path or address, or tar!member
     * @throws BadInputException when there is none
     */
    public static ImageEntry named(String name) {
        int mark = name.lastIndexOf('!');
        if (mark < 0 || (!Address.is(name) && Files.exists(Path.of(name)))) {
            return of(new DataFile(name));
        }
        DataFile tar = new DataFile(name.substring(0, mark));
        return TarIndex.read(tar, problem -> {}).stream()
                .map(TarIndex.Member::entry)
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInputException(name + ": no such image"));
    }

    /**
     * The bytes; a read that fails is tried three times, one of the network as {@link RemoteFile} does.
     *
     * @throws BadInputException naming the entry
     * @throws java.io.UncheckedIOException for a network that fails
     */
    public byte[] read() {
        for (int attempt = 1; ; attempt++) {
            try {
                return readOnce();
            } catch (NoSuchFileException e) {
                throw new BadInputException(name + ": the file does not exist", e);
            } catch (IOException e) {
                if (attempt == ATTEMPTS) {
                    throw new BadInputException(name + ": cannot be read: " + e.getMessage(), e);
                }
                pause(e);
            }
        }
    }

    private void pause(IOException reason) {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BadInputException(name + ": reading was interrupted", reason);
        }
    }

    private byte[] readOnce() throws IOException {
        DataFile content = TarIndex.content(file);
        if (content.isRemote()) {
            RemoteFile remote = content.remote();
            return remote.read(offset, checked(remote.size()));
        }
        try (FileChannel channel = FileChannel.open(content.path(), StandardOpenOption.READ)) {
            ByteBuffer bytes = ByteBuffer.allocate(checked(channel.size()));
            while (bytes.hasRemaining()) {
                if (channel.read(bytes, offset + bytes.position()) < 0) {
                    throw new IOException("the file shrank while it was read");
                }
            }
            return bytes.array();
        }
    }

    /** How many bytes there are to read of a file of that size. */
    private int checked(long fileSize) {
        long size = length < 0 ? fileSize : length;
        if (size > MAX_BYTES) {
            throw new BadInputException(name + ": " + size + " bytes, more than the limit of " + MAX_BYTES);
        }
        if (offset + size > fileSize) {
            throw new BadInputException(name + ": the file ends inside of it");
        }
        return (int) size;
    }
}
