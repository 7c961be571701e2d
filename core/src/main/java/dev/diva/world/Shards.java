package dev.diva.world;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Locale;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** A folder of numbered webdataset tars: files of a sample share their name up to the dot and follow each other. */
final class Shards implements Closeable {
    private static final int SAMPLES = 4_000;

    private final Path folder;
    private TarArchiveOutputStream tar;

    Shards(Path folder) {
        this.folder = folder;
    }

    /** Starts the sample, in a new tar where the last one is full; its files are then added. */
    void start(int sample) throws IOException {
        if (sample % SAMPLES == 0) {
            close();
            String name = String.format(Locale.ROOT, "%05d.tar", sample / SAMPLES);
            tar = new TarArchiveOutputStream(new BufferedOutputStream(Files.newOutputStream(folder.resolve(name))));
        }
    }

    /** Adds one file of a sample; times are zero, so that the same world gives the same bytes. */
    void add(int sample, String extension, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(String.format(Locale.ROOT, "%08d.%s", sample, extension));
        entry.setSize(content.length);
        entry.setModTime(FileTime.fromMillis(0));
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    @Override
    public void close() throws IOException {
        if (tar != null) {
            tar.close();
        }
    }
}
