package dev.diva.eval.mllm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.testing.Golden;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random strings read as the public parsers read them. */
@Tag("golden")
class MllmParsersTest {
    @Test
    void readsAsThePublishedCode() {
        Golden golden = Golden.of("mllm-parsers");
        for (JsonNode row : golden.json("expected.json")) {
            String text = row.path("text").asText();
            Map<String, String> options = new LinkedHashMap<>();
            row.path("options")
                    .properties()
                    .forEach(option ->
                            options.put(option.getKey(), option.getValue().asText()));
            Map<String, String> read = Map.of(
                    "vlmLetter", Letters.vlmEvalKit(text, options),
                    "lmmsStatic", Letters.lmmsStatic(text, options),
                    "lmmsMmvp", Letters.lmmsMmvp(text),
                    "lmmsMme", YesNo.lmmsMme(text),
                    "vlmYesNo", YesNo.vlmEvalKit(text),
                    "popeLlava", YesNo.llavaPope(text));
            read.forEach((rule, answer) -> assertThat(answer)
                    .as(rule + ": " + text)
                    .isEqualTo(row.path(rule).asText()));
            assertMarks(WildScore.llava(text), row.path("wildLlava"), text);
            assertMarks(WildScore.lmmsEval(text), row.path("wildLmms"), text);
        }
    }

    private static void assertMarks(WildScore.Marks marks, JsonNode right, String text) {
        assertThat(List.of(marks.reference(), marks.model()))
                .as(text)
                .isEqualTo(List.of(right.get(0).asDouble(), right.get(1).asDouble()));
    }
}
