package dev.diva.mine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.data.Box;
import dev.diva.data.Filter;
import dev.diva.data.Normalize;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * transformers' BitImageProcessor as DINOv2 uses it: RGB, the shorter side to {@code shortestEdge} (bicubic), the centre, ImageNet's mean
 * and deviation.
 *
 * @param size side of the centre that is kept, pixels
 */
@SuppressWarnings("ArrayRecordComponent")
record Dinov2Preprocessing(int shortestEdge, int size, float[] mean, float[] std) {
    private static final float[] MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] STD = {0.229f, 0.224f, 0.225f};

    Dinov2Preprocessing {
        if (size < 1 || shortestEdge < size) {
            throw new BadInputException(
                    "shortest_edge " + shortestEdge + ", crop " + size + "; expected 0 < crop <= edge");
        }
    }

    /** Reads the file; without one, what the published models have: 256, 224. */
    static Dinov2Preprocessing of(Path file) {
        if (!Files.exists(file)) {
            return new Dinov2Preprocessing(256, 224, MEAN, STD);
        }
        JsonNode json = Dinov2.json(file);
        return new Dinov2Preprocessing(
                json.path("size").path("shortest_edge").asInt(256),
                json.path("crop_size").path("height").asInt(224),
                channels(json.path("image_mean"), MEAN),
                channels(json.path("image_std"), STD));
    }

    private static float[] channels(JsonNode node, float[] whenAbsent) {
        return node.size() != 3
                ? whenAbsent.clone()
                : new float[] {
                    (float) node.get(0).asDouble(),
                    (float) node.get(1).asDouble(),
                    (float) node.get(2).asDouble()
                };
    }

    /** Normalised, channels first: 3 * size * size values. */
    float[] pixels(RasterImage image) {
        RasterImage rgb = image.toRgb();
        int shorter = Math.min(rgb.width(), rgb.height());
        int longer = (int) ((long) shortestEdge * Math.max(rgb.width(), rgb.height()) / shorter);
        boolean isWide = rgb.width() > rgb.height();
        RasterImage resized =
                Resampler.resize(rgb, isWide ? longer : shortestEdge, isWide ? shortestEdge : longer, Filter.BICUBIC);
        Box centre = new Box((resized.height() - size) / 2, (resized.width() - size) / 2, size, size);
        return Normalize.toChw(resized.crop(centre), mean, std);
    }
}
