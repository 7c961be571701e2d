package dev.diva.report;

import java.util.List;

/**
 * A table of text.
 *
 * @param head of the columns
 * @param rows as many cells each; the first names the row
 */
public record Table(String caption, List<String> head, List<List<String>> rows) {}
