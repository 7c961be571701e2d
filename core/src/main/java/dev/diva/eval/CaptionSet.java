package dev.diva.eval;

import java.util.List;
import java.util.function.Consumer;

/** Images with captions. */
public interface CaptionSet {
    /** Where the data lie, for records and messages. */
    String name();

    /** Hands on the images in a fixed order. */
    void readCaptions(Consumer<CaptionedImage> consumer);

    /** What was lost on the way. */
    List<String> warnings();
}
