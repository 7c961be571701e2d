package dev.diva.report;

import java.util.List;
import java.util.Map;

/**
 * The parts of the page that belong to one run: its curves, pictures, recipe and manifest.
 *
 * @param loss how it has changed, or null
 * @param heatMaps where the CLIP sees statements
 * @param painted what the pictures show
 */
public record RunSection(
        String name,
        List<Curve> curves,
        LossChange loss,
        String recipe,
        Map<String, String> manifest,
        Map<String, String> data,
        List<Reconstruction> reconstructions,
        List<Reconstruction> heatMaps,
        String painted) {}
