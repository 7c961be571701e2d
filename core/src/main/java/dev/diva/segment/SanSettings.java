package dev.diva.segment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.clip.VisionConfig;
import dev.diva.train.RecipeChecks;
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
    private static final int MOST_RESOLUTION = 4;
    private static final ObjectMapper YAML = new YAMLMapper();

    public SanSettings {
        shortEdge = shortEdge == null ? PUBLISHED : shortEdge;
        requireRanges("", clipResolution, sideHeads, recognitionLayer);
        if (fusion == null) {
            throw new IllegalArgumentException("fusion is missing, expected a map from side blocks to CLIP layers");
        }
        RecipeChecks.atLeast("shortEdge", shortEdge, 1);
        fusion = new TreeMap<>(fusion);
    }

    /**
     * Refuses what no pair of networks can have; null stands for a value that is known elsewhere.
     *
     * @param prefix of the keys in the message
     * @throws IllegalArgumentException naming the key, its value and the range
     */
    public static void requireRanges(
            String prefix, Double clipResolution, Integer sideHeads, Integer recognitionLayer) {
        if (clipResolution != null && !(clipResolution > 0 && clipResolution <= MOST_RESOLUTION)) {
            throw new IllegalArgumentException(prefix + "clipResolution is " + clipResolution
                    + ", expected a number above 0 and at most " + MOST_RESOLUTION);
        }
        RecipeChecks.atLeast(prefix + "sideHeads", sideHeads == null ? 1 : sideHeads, 1);
        RecipeChecks.atLeast(prefix + "recognitionLayer", recognitionLayer == null ? 0 : recognitionLayer, 0);
    }

    /**
     * Reads a YAML file with these keys; shortEdge may be missing.
     *
     * @throws BadInputException naming the file and what is wrong in it
     */
    public static SanSettings read(Path file) {
        return KeyFile.read(file, SanSettings.class);
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
