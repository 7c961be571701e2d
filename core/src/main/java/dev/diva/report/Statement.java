package dev.diva.report;

import java.nio.file.Path;

/**
 * One side of a pair of a benchmark.
 *
 * @param pair its number or name
 * @param image file of the side
 * @param text the statement that is right for it
 */
public record Statement(String pair, Path image, String text) {}
