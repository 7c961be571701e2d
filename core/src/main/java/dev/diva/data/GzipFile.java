package dev.diva.data;

import dev.diva.BadInputException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.GZIPInputStream;

/** The content of a gzip file where any part of it can be read: unpacked once, into a temporary file that is gone when the program ends. */
final class GzipFile {
    /** Pictures do not shrink; a file that grows more than this, and more than {@link #SMALL}, is made to fill a disk. */
    private static final long MOST_GROWTH = 64;

    private static final long SMALL = 64L << 20;
    private static final Map<DataFile, Content> UNPACKED = new ConcurrentHashMap<>();

    private GzipFile() {}

    /**
     * What was unpacked.
     *
     * @param problem why the file holds no more, or null
     */
    record Content(Path file, String problem) {}

    /** The content of a file, the part before a damage where there is one. */
    static Content of(DataFile gzip) {
        DataFile place = gzip.isRemote() ? gzip : DataFile.of(gzip.path().toAbsolutePath());
        return UNPACKED.computeIfAbsent(place, GzipFile::unpack);
    }

    private static Content unpack(DataFile gzip) {
        try {
            Path file = Files.createTempFile("diva-", ".tar");
            file.toFile().deleteOnExit();
            try (OutputStream out = Files.newOutputStream(file)) {
                return new Content(file, copy(gzip, out));
            }
        } catch (IOException e) {
            throw new BadInputException(
                    gzip + ": cannot be unpacked to " + System.getProperty("java.io.tmpdir") + ": " + e.getMessage(),
                    e);
        }
    }

    private static String copy(DataFile gzip, OutputStream out) throws IOException {
        long most = Math.max(SMALL, MOST_GROWTH * gzip.size());
        byte[] buffer = new byte[1 << 16];
        long total = 0;
        try (InputStream file = new BufferedInputStream(new ChannelStream(gzip.open()), 1 << 16);
                InputStream in = new GZIPInputStream(file)) {
            for (int n = read(in, buffer); n != 0; n = read(in, buffer)) {
                if (n < 0) {
                    return "the gzip file is damaged or cut";
                }
                total += n;
                if (total > most) {
                    return "the gzip file unpacks to more than " + most + " bytes, which no pictures do";
                }
                out.write(buffer, 0, n);
            }
            return null;
        } catch (java.util.zip.ZipException | java.io.EOFException e) {
            return "is no gzip file";
        }
    }

    /** Bytes, 0 at the end, -1 at a damage. */
    private static int read(InputStream in, byte[] buffer) {
        try {
            return Math.max(0, in.read(buffer));
        } catch (IOException e) {
            return -1;
        }
    }
}
