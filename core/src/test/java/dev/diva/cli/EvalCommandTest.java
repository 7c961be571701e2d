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

class EvalCommandTest {
    private static final String CLIP = Golden.path("clip-hf-vit").toString();

    private static String run(String... arguments) {
        StringWriter out = new StringWriter();
        CommandLine command = new CommandLine(new EvalCommand());
        command.setOut(new PrintWriter(out));
        assertThat(command.execute(arguments)).isZero();
        return out.toString();
    }

    @Test
    void twoModelsOnPairsGiveTheirScoresAndTheExactTest() throws IOException {
        String data = Golden.path("mmvp-vlm/MMVP_VLM").toString();
        JsonNode json = new ObjectMapper().readTree(run("mmvp", "--clip", CLIP, CLIP, "--data", data, "--json"));
        assertThat(json.at("/results").size()).isEqualTo(2);
        assertThat(json.at("/results/0/pairs").asInt()).isEqualTo(135);
        assertThat(json.at("/tests/0/p").asDouble()).isEqualTo(1);
    }

    @Test
    void zeroShotPrintsTheAccuracyInPercent() {
        assertThat(run(
                        "zeroshot",
                        "--clip",
                        CLIP,
                        "--data",
                        Golden.path("zeroshot/classification").toString()))
                .contains("acc1", "mean_per_class_recall", "%");
    }

    @Test
    void retrievalPrintsEveryK() {
        String data = Golden.path("zeroshot/retrieval").toString();
        assertThat(run("retrieval", "--clip", CLIP, "--data", data, "--recall-k", "1,5"))
                .contains("image_retrieval_recall@1", "text_retrieval_recall@5");
    }
}
