package dev.diva.mine;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.data.Box;
import dev.diva.data.Filter;
import dev.diva.data.Normalize;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

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

    private static final double RESCALE = 1.0 / 255;

    /** Steps of the processor, with the values that are followed. */
    private static final Map<String, Set<String>> ONLY = Map.of(
            "do_resize", Set.of("true"),
            "resample", Set.of("3"),
            "do_center_crop", Set.of("true"),
            "do_rescale", Set.of("true"),
            "do_normalize", Set.of("true"),
            "do_pad", Set.of("false"));

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
        ConfigJson json = ConfigJson.read(file);
        json.requireOnly(ONLY);
        if (Math.abs(json.fraction("rescale_factor", RESCALE) - RESCALE) > 1e-9) {
            throw json.wrong("rescale_factor", "1/255");
        }
        if (json.has("size") && !json.at("size").has("shortest_edge")) {
            throw json.wrong("size", "a shortest_edge");
        }
        return new Dinov2Preprocessing(
                Math.toIntExact(json.at("size").number("shortest_edge", 256)),
                Math.toIntExact(json.side("crop_size", 224)),
                json.channels("image_mean", MEAN),
                json.channels("image_std", STD));
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
