package dev.diva.report;

import java.nio.file.Path;
import java.util.List;

/**
 * Pairs of images side by side, for a person who writes down what tells them apart.
 *
 * @param title heading of the page
 * @param note a sentence below it
 */
public record PairGallery(String title, String note, List<Item> items) {
    /**
     * One pair.
     *
     * @param caption words below it
     * @param names files of the two images
     * @param images the two pictures
     */
    public record Item(String caption, List<String> names, List<InlineImage> images) {
        /** Reads the pictures. */
        public static Item of(String caption, List<Path> files) {
            return new Item(
                    caption,
                    files.stream().map(file -> file.getFileName().toString()).toList(),
                    files.stream()
                            .map(file -> InlineImage.read(file).orElse(InlineImage.NONE))
                            .toList());
        }
    }
}
