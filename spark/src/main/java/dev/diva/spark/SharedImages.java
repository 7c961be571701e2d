package dev.diva.spark;

import dev.diva.data.DataFile;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageSet;
import dev.diva.hub.RemoteFiles;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The images of a job as they travel: listed once, by the driver, so that no task reads the headers of all tars again. */
final class SharedImages implements Serializable {
    private final String[] names;
    private final String[] files;
    private final long[] offsets;
    private final long[] lengths;
    private final String cache; // null for the default of each machine
    private final long cacheBytes;

    SharedImages(ImageSet images) {
        Path folder = RemoteFiles.folder();
        cache = folder.equals(RemoteFiles.defaultFolder()) ? null : folder.toString();
        cacheBytes = RemoteFiles.limit();
        List<ImageEntry> entries = images.entries();
        names = entries.stream().map(ImageEntry::name).toArray(String[]::new);
        files = entries.stream().map(entry -> entry.file().location()).toArray(String[]::new);
        offsets = entries.stream().mapToLong(ImageEntry::offset).toArray();
        lengths = entries.stream().mapToLong(ImageEntry::length).toArray();
    }

    ImageSet all() {
        return between(0, names.length);
    }

    /** Those of a part, to be read as the driver reads them. */
    ImageSet between(long from, long to) {
        HadoopSource.use();
        RemoteFiles.use(cache == null ? RemoteFiles.defaultFolder() : Path.of(cache), cacheBytes);
        List<ImageEntry> entries = new ArrayList<>();
        for (int i = (int) from; i < to; i++) {
            entries.add(new ImageEntry(names[i], new DataFile(files[i]), offsets[i], lengths[i]));
        }
        return new ImageSet(entries);
    }
}
