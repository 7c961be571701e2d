package dev.diva.report;

import java.nio.file.Path;
import java.util.List;

/**
 * One pair of a benchmark as one model answered it.
 *
 * @param id the pair's number or name, equal for every model
 * @param pattern visual pattern of the pair, may be empty
 * @param images the two image files, may be empty
 * @param statements the statement of each image
 * @param margins how far each statement preferred its own image, above 0 is right
 */
public record Question(
        String id, String pattern, List<Path> images, List<String> statements, List<Double> margins, boolean correct) {}
