package dev.diva.segment;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.diva.clip.VisionConfig;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/**
 * A published SAN.
 *
 * @param clip the tower that it is made for
 * @param settings what a checkpoint does not tell
 * @param shape what a new network is made by
 */
public record SanPreset(String name, Tower clip, SanSettings settings, SanShape shape) {
    private static final List<SanPreset> ALL = read();

    /** Shape of a CLIP's image tower. */
    public record Tower(long width, int layers, long patch, long imageSize) {
        boolean fits(VisionConfig vision) {
            return vision.transformer().hiddenSize() == width
                    && vision.transformer().numHiddenLayers() == layers
                    && vision.patchSize() == patch
                    && vision.imageSize() == imageSize;
        }
    }

    /** Every one. */
    public static List<SanPreset> all() {
        return ALL;
    }

    /** The one for a tower of that shape. */
    public static Optional<SanPreset> of(VisionConfig vision) {
        return ALL.stream().filter(preset -> preset.clip.fits(vision)).findFirst();
    }

    private static List<SanPreset> read() {
        try (InputStream file = SanPreset.class.getResourceAsStream("presets.yaml")) {
            return List.copyOf(new YAMLMapper().readValue(file, new TypeReference<List<SanPreset>>() {}));
        } catch (IOException e) {
            throw new IllegalStateException("presets.yaml is in the jar", e);
        }
    }
}
