package dev.diva.segment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.diva.BadInputException;
import dev.diva.TextFile;
import dev.diva.clip.VisionConfig;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the tensors of a SAN do not tell.
 *
 * @param clipResolution side of CLIP's pixels as a share of the side network's
 * @param sideHeads attention heads of the side network
 * @param fusion number of a side block (0: before the first) to the number of CLIP layers whose output is added behind it
 * @param recognitionLayer first layer of CLIP, from 0, that the mask tokens go through
 * @param shortEdge of the pictures that are scored, pixels; null for the published 640
 */
public record SanSettings(
        double clipResolution, int sideHeads, Map<Integer, Integer> fusion, int recognitionLayer, Integer shortEdge) {
    private static final int PUBLISHED = 640;
    private static final ObjectMapper YAML = YAMLMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    public SanSettings {
        shortEdge = shortEdge == null ? PUBLISHED : shortEdge;
        if (fusion == null
                || !(clipResolution > 0 && clipResolution <= 4)
                || sideHeads < 1
                || recognitionLayer < 0
                || shortEdge < 1) {
            throw new BadInputException(
                    "expected clipResolution above 0 and at most 4, sideHeads at least 1, fusion as a"
                            + " map from side blocks to CLIP layers, recognitionLayer 0 or more, shortEdge at least 1");
        }
        fusion = new TreeMap<>(fusion);
    }

    /**
     * Reads a YAML file with these keys.
     *
     * @throws BadInputException naming the file and what is wrong in it
     */
    public static SanSettings read(Path file) {
        try {
            return YAML.readValue(TextFile.read(file), SanSettings.class);
        } catch (JsonProcessingException e) {
            String reason =
                    e.getCause() instanceof BadInputException cause ? cause.getMessage() : e.getOriginalMessage();
            throw new BadInputException(
                    file + ": " + reason.lines().findFirst().orElse("not YAML")
                            + "; keys: clipResolution, sideHeads, fusion, recognitionLayer, and shortEdge where it is not 640",
                    e);
        }
    }

    /** As a file that {@link #read} reads. */
    String toYaml() {
        try {
            return YAML.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of numbers can be written", e);
        }
    }

    /** Refuses a map that does not fit the two networks. */
    void requireFit(VisionConfig clip, SanShape shape, String place) {
        int layers = clip.transformer().numHiddenLayers();
        if (recognitionLayer >= layers) {
            throw new BadInputException(place + ": recognitionLayer " + recognitionLayer + " of a CLIP of " + layers
                    + " layers; expected at most " + (layers - 1));
        }
        if (shape.width() % sideHeads != 0) {
            throw new BadInputException(
                    place + ": sideHeads " + sideHeads + " do not divide the side network's width " + shape.width());
        }
        fusion.forEach((block, outputs) -> {
            if (block < 0 || block > shape.blocks() || outputs == null || outputs < 0 || outputs > recognitionLayer) {
                throw new BadInputException(place + ": fusion " + block + ": " + outputs + "; expected a side block 0.."
                        + shape.blocks() + " and outputs of 0.." + recognitionLayer + " CLIP layers");
            }
        });
    }
}
