package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class InspectCommandTest {
    @Test
    void jsonTellsLayoutSizesAndParameters() throws IOException {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(Golden.model("clip-hf-vit").toString(), "--json");
        assertThat(code).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.path("format").asText()).isEqualTo("hf");
        assertThat(json.path("vision").path("tokens").asLong()).isEqualTo(17);
        assertThat(json.path("text").path("inputSize").asLong()).isEqualTo(49408);
        assertThat(json.path("parameters").path("visual_projection").asLong()).isEqualTo(24 * 32);
        assertThat(json.path("embeddingDim").asLong()).isEqualTo(24);
    }

    @Test
    void textNamesTheTowersOfOpenAiFiles() {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new InspectCommand())
                .setOut(new PrintWriter(out))
                .execute(Golden.model("clip-openai-jit").resolve("ViT-jit.pt").toString());
        assertThat(code).isZero();
        assertThat(out.toString()).contains("openai", "images of 32, patches of 8, 17 tokens", "QUICK_GELU");
    }
}
