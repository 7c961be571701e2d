package dev.diva.report;

import java.util.List;
import java.util.Map;

/**
 * The parts of the page that belong to one run: its curves, pictures, recipe and manifest.
 *
 * @param painted what the pictures show
 */
public record RunSection(
        String name,
        List<Curve> curves,
        String recipe,
        Map<String, String> manifest,
        Map<String, String> data,
        List<Reconstruction> reconstructions,
        String painted) {}
