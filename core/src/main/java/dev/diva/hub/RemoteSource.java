package dev.diva.hub;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** Who gives the bytes of addresses of one kind. */
public interface RemoteSource {
    /** Most files that are listed. */
    int MOST = 1_000_000;

    /**
     * Asks for a part of a file.
     *
     * @param count at least 1
     * @return the part, less at the end of the file, or the whole file where the server knows no parts; the caller closes it
     * @throws dev.diva.BadInputException when there is no such file or it is refused
     * @throws java.io.UncheckedIOException when there is no answer, after several tries
     */
    Answer get(String address, long from, long count);

    /**
     * The addresses of files that begin like that, in any order; one more than {@link #MOST} where there are more.
     *
     * @param start of an address, up to a folder or into a name
     * @param deep whether of files in folders below too; else these folders are told, with a slash at the end
     */
    default List<String> list(String start, boolean deep) {
        throw new UnsupportedOperationException("a web server does not tell what files it has");
    }

    /**
     * Bytes, and what they are of.
     *
     * @param size bytes of the whole file, -1 where it is not said
     * @param version changes with the content: entity tag or date; empty where there is none
     * @param isWhole whether the bytes are those of the whole file and not of the part
     */
    record Answer(long size, String version, boolean isWhole, InputStream bytes) implements AutoCloseable {
        /** Of a part that begins behind the end. */
        public static Answer beyond(long size) {
            return new Answer(size, "", false, InputStream.nullInputStream());
        }

        /** A part is read to its end, so that the connection can be used again; what is left of a whole file is given up. */
        @Override
        public void close() throws IOException {
            try (bytes) {
                if (!isWhole) {
                    var unused = bytes.read();
                }
            }
        }
    }
}
