package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first sentence of the demo's page says what the paired test says, whichever way it went. */
class DemoWordsTest {
    @TempDir
    private Path folder;

    private Places places;

    /** Of 20 pairs: won and lost against an untouched CLIP that has the first ten right. */
    private List<String> words(int won, int lost) throws IOException {
        places = new Places(folder);
        write(places.scores(), Demo.BEFORE, 10, 0);
        for (Variant variant : Demo.VARIANTS) {
            Path evaluations = places.run(variant).resolve("evaluations");
            write(evaluations, Demo.AFTER, 10 + won, lost);
        }
        return DemoWords.of(places);
    }

    private static void write(Path evaluations, String name, int upTo, int from) throws IOException {
        Files.createDirectories(evaluations);
        ObjectMapper json = new ObjectMapper();
        ObjectNode root = json.createObjectNode();
        ObjectNode result = root.putArray("results").addObject();
        result.putObject("metrics")
                .put("average", (upTo - from) / 20.0)
                .put("in order", 0.5)
                .put("sig", 0.01)
                .put("bias", 0.02)
                .put("text_retrieval_recall@1", 0.9)
                .put("probe of the class token", 0.6);
        ArrayNode questions = result.putArray("questions");
        for (int i = 0; i < 20; i++) {
            questions.addObject().put("correct", i >= from && i < upTo);
        }
        for (String record : List.of("1-pairs", "2-gist", "3-probe")) {
            json.writeValue(evaluations.resolve(name + "-" + record + ".json").toFile(), root);
        }
    }

    @Test
    void aClearGainIsCalledOne() throws IOException {
        List<String> words = words(8, 1); // p = 2 (1 + 9) / 2^9
        assertThat(words.get(0))
                .startsWith("The repaired CLIP sees more: ")
                .contains(
                        "now gets 8 right that the untouched one got wrong, and 1 wrong that were right (exact McNemar p = 0.039)");
        assertThat(words.get(3)).startsWith("anchored: pairs 50.0 to 85.0 %, in order 50.0 to 50.0 %");
    }

    @Test
    void aClearLossIsCalledOne() throws IOException {
        assertThat(words(0, 6).get(0)).startsWith("The repaired CLIP sees less: ");
    }

    @Test
    void fewChangesAreCalledChance() throws IOException {
        assertThat(words(4, 1).get(0)).startsWith("No change that could not be chance: ");
    }
}
