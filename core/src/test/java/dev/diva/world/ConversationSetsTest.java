package dev.diva.world;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.eval.mllm.Benchmark;
import dev.diva.eval.mllm.Item;
import dev.diva.eval.mllm.Prompts;
import dev.diva.eval.mllm.QuestionSet;
import dev.diva.eval.mllm.Rules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversationSetsTest {
    private static final int PATTERNS = 9;

    @TempDir
    Path folder;

    @Test
    void pairsAreAskedTheSameAndAnsweredOtherwise() throws IOException {
        Path out = folder.resolve("sets");
        new ConversationSets(new WorldRecipe(3, 16, 0, 0, 0, 0, 0, 0)).write(out, 5, 1);
        QuestionSet set = Benchmark.MMVP.read(out.resolve("mmvp"), Prompts.LLAVA);
        set.requireImages();
        List<Item> items = set.items();
        assertThat(items).hasSize(2 * PATTERNS);
        for (int i = 0; i < items.size(); i += 2) {
            assertThat(items.get(i).asked()).isEqualTo(items.get(i + 1).asked()).contains("(a) ");
            assertThat(items.get(i).extra()).isNotEqualTo(items.get(i + 1).extra());
        }
        List<String> right = items.stream()
                .map(item -> item.extra().path("answer").asText().substring(1, 2))
                .toList();
        assertThat(set.score("all", right, Rules.LLAVA, List.of()).metrics().get("pairs"))
                .isEqualTo(1.0);
        assertThat(set.score("none", right.stream().map(a -> "a").toList(), Rules.LLAVA, List.of())
                        .metrics()
                        .get("pairs"))
                .isZero();
        JsonNode samples =
                new ObjectMapper().readTree(out.resolve("questions.json").toFile());
        assertThat(samples).hasSize(5);
        for (JsonNode sample : samples) {
            assertThat(out.resolve("images").resolve(sample.path("image").asText()))
                    .isRegularFile();
            assertThat(sample.path("conversations").size() % 2).isZero();
        }
        assertThat(Files.readString(out.resolve("captions.json"))).contains("<image>");
    }
}
