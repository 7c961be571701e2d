package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.data.DataFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** Images with classes, and the words for the classes. */
public interface ClassificationSet {
    /** Where the data lie, for records and messages. */
    String name();

    /** Whether an image may have several classes. */
    boolean isMultilabel();

    /** Names of the classes in the order of their indices. */
    List<String> classNames();

    /** Prompts with the slot {@code {c}} for the name. */
    List<String> templates();

    /** Hands on the images in a fixed order. */
    void readLabels(Consumer<LabelledImage> consumer);

    /** What was lost on the way. */
    List<String> warnings();

    /**
     * A folder in CLIP_benchmark's layout when it has {@code SPLIT/nshards.txt} or lies behind an address, else a tree of images.
     *
     * @throws BadInputException when it is neither
     */
    static ClassificationSet open(DataFile place, String split, Wording wording) {
        if (place.isRemote()) {
            return new Webdataset(place, split, wording);
        }
        Path folder = place.path();
        if (!Files.isDirectory(folder)) {
            throw new BadInputException(folder + ": no such folder");
        }
        return Webdataset.isAt(folder, split)
                ? new Webdataset(place, split, wording)
                : ImageTree.open(folder, split, wording);
    }
}
