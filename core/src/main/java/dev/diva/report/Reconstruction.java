package dev.diva.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is made of an image, before and after training: what the diffusion model paints from its tokens, or where the CLIP sees a text in it.
 *
 * @param caption words below the three, may be empty
 */
public record Reconstruction(InlineImage image, InlineImage before, InlineImage after, String caption) {
    /**
     * Reads {@code index.json} of a folder: {@code {"items": [{"image", "before", "after", "caption"}]}}, files relative to the
     * folder. Triplets with a missing picture are left out.
     */
    static List<Reconstruction> read(Path folder) {
        Path index = folder.resolve("index.json");
        List<Reconstruction> found = new ArrayList<>();
        if (!Files.isRegularFile(index)) {
            return found;
        }
        for (JsonNode item : EvaluationReader.tree(index).path("items")) {
            InlineImage image = picture(folder, item, "image");
            InlineImage before = picture(folder, item, "before");
            InlineImage after = picture(folder, item, "after");
            if (image != null && before != null && after != null) {
                found.add(new Reconstruction(
                        image, before, after, item.path("caption").asText("")));
            }
        }
        return found;
    }

    private static InlineImage picture(Path folder, JsonNode item, String name) {
        return InlineImage.read(folder.resolve(item.path(name).asText(""))).orElse(null);
    }
}
