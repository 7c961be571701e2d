package dev.diva.mllm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.testing.Golden;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Prompts as LLaVA's conversation templates and the hub's chat template render them. */
@Tag("golden")
class PromptTemplateTest {
    private static final String IMAGE = "<image>\n";

    @ParameterizedTest
    @EnumSource(names = {"VICUNA_V1", "LLAVA_V1", "PLAIN"})
    void authorsTemplatesAreTheReferences(PromptTemplate template) {
        JsonNode json = Golden.of("llava-original").json("prompts.json");
        List<PromptTemplate.Turn> turns = new ArrayList<>();
        for (JsonNode turn : json.path("rendered from")) {
            String question = (turns.isEmpty() ? IMAGE : "") + turn.get(0).asText();
            turns.add(new PromptTemplate.Turn(
                    question, turn.get(1).isNull() ? null : turn.get(1).asText()));
        }
        JsonNode rendered = json.path("rendered").path(template.name().toLowerCase(java.util.Locale.ROOT));
        String last = turns.get(turns.size() - 1).question();
        assertThat(template.render(List.of(new PromptTemplate.Turn(IMAGE + last, null))))
                .isEqualTo(rendered.path("one question").asText());
        if (template != PromptTemplate.PLAIN) {
            assertThat(template.ask(last, true))
                    .isEqualTo(rendered.path("one question").asText());
            assertThat(template.render(turns))
                    .isEqualTo(rendered.path("with answers, then a question").asText());
            assertThat(template.render(turns.subList(0, turns.size() - 1)))
                    .isEqualTo(rendered.path("with answers").asText());
        }
    }

    @Test
    void hubsTemplateIsTheReference() {
        Golden golden = Golden.of("llava-hf");
        JsonNode conversations = golden.json("conversations.json");
        JsonNode rendered = golden.json("tokens.json").path("rendered");
        for (int i = 0; i < conversations.size(); i++) {
            StringBuilder system = new StringBuilder();
            List<PromptTemplate.Turn> turns = new ArrayList<>();
            for (JsonNode message : conversations.get(i)) {
                StringBuilder text = new StringBuilder();
                for (JsonNode content : message.path("content")) {
                    text.append(
                            content.path("type").asText().equals("image")
                                    ? IMAGE
                                    : content.path("text").asText());
                }
                switch (message.path("role").asText()) {
                    case "system" -> system.append(text).append(' ');
                    case "user" -> turns.add(new PromptTemplate.Turn(text.toString(), null));
                    default ->
                        turns.set(
                                turns.size() - 1,
                                new PromptTemplate.Turn(
                                        turns.get(turns.size() - 1).question(), text.toString()));
                }
            }
            assertThat(system + PromptTemplate.LLAVA_HF.render(turns))
                    .isEqualTo(rendered.get(i).asText());
        }
    }

    /** By hand from its wrapper of LLaVA: the system sentence, {@code "USER: "}, the message, {@code " ASSISTANT: "}; an image is {@code " <image> "}. */
    @Test
    void vlmEvalKitsPromptHasItsBlanks() {
        assertThat(PromptTemplate.VLMEVALKIT.ask("Is there a dog?", true))
                .isEqualTo(
                        "A chat between a curious human and an artificial intelligence assistant. The assistant gives"
                                + " helpful, detailed, and polite answers to the human's questions."
                                + " USER:  <image> Is there a dog? ASSISTANT: ");
    }

    /** 3 x 2 pixels: the row below is the canvas; offsets are rounded down. */
    @Test
    void paddingCentresOnTheMeanColour() {
        byte[] samples = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
        RasterImage padded =
                ImageAspect.PAD.apply(RasterImage.of(ColorMode.RGB, 3, 2, samples), 0.4815f, 0.4578f, 0.4082f);
        assertThat(padded.width()).isEqualTo(padded.height()).isEqualTo(3);
        byte[] expected = java.util.Arrays.copyOf(samples, 27);
        for (int i = 18; i < 27; i++) {
            expected[i] = new byte[] {122, 116, 104}[i % 3];
        }
        assertThat(padded.samples()).isEqualTo(expected);
    }
}
