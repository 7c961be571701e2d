package dev.diva.spark;

import dev.diva.data.DataFile;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageSet;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** The images of a job as they travel: listed once, by the driver, so that no task reads the headers of all tars again. */
final class SharedImages implements Serializable {
    private final String[] names;
    private final String[] files;
    private final long[] offsets;
    private final long[] lengths;

    SharedImages(ImageSet images) {
        List<ImageEntry> entries = images.entries();
        names = entries.stream().map(ImageEntry::name).toArray(String[]::new);
        files = entries.stream().map(entry -> entry.file().location()).toArray(String[]::new);
        offsets = entries.stream().mapToLong(ImageEntry::offset).toArray();
        lengths = entries.stream().mapToLong(ImageEntry::length).toArray();
    }

    ImageSet all() {
        return between(0, names.length);
    }

    /** Those of a part. */
    ImageSet between(long from, long to) {
        List<ImageEntry> entries = new ArrayList<>();
        for (int i = (int) from; i < to; i++) {
            entries.add(new ImageEntry(names[i], new DataFile(files[i]), offsets[i], lengths[i]));
        }
        return new ImageSet(entries);
    }
}
