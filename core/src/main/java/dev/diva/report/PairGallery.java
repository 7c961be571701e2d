package dev.diva.report;

import java.nio.file.Path;
import java.util.List;

/**
 * Images side by side: pairs for a person who writes down what tells them apart, or one picture as several models see it.
 *
 * @param title heading of the page
 * @param note a sentence below it
 */
public record PairGallery(String title, String note, List<Item> items) {
    /** The same under a title that names the model. */
    PairGallery of(String model) {
        return new PairGallery(title + ", " + model, note, items);
    }

    /**
     * One row.
     *
     * @param caption words below it
     * @param names of the images
     * @param images the pictures, two or more
     */
    public record Item(String caption, List<String> names, List<InlineImage> images) {
        /** Reads the pictures, under the names of their files. */
        public static Item of(String caption, List<Path> files) {
            return of(
                    caption,
                    files.stream().map(file -> file.getFileName().toString()).toList(),
                    files.stream().map(Path::toString).toList());
        }

        /** Reads the pictures of those names: paths, or tar!member. */
        public static Item of(String caption, List<String> captions, List<String> names) {
            return new Item(
                    caption,
                    captions,
                    names.stream()
                            .map(name -> InlineImage.read(name).orElse(InlineImage.NONE))
                            .toList());
        }
    }
}
