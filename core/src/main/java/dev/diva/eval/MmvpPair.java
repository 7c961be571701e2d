package dev.diva.eval;

import java.nio.file.Path;
import java.util.List;

/**
 * Two images that look alike and a statement for each.
 *
 * @param pattern visual pattern that tells the images apart
 * @param ids question ids of the two statements; an odd id means the first image
 * @param images the two files
 */
public record MmvpPair(String pattern, List<Integer> ids, List<Path> images, List<String> statements) {
    /** The image that the statement (0 or 1) describes: 0 or 1. */
    int truth(int statement) {
        return Math.floorMod(ids.get(statement), 2) == 1 ? 0 : 1;
    }
}
