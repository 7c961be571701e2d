package dev.diva.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MmvpTest {
    private final Golden golden = Golden.of("mmvp-vlm");

    @TempDir
    Path folder;

    @Test
    void goldenProbabilitiesGiveThePublishedScores() {
        MmvpSet set = MmvpReader.read(golden.file("MMVP_VLM"), MmvpReader.Missing.FAIL);
        assertThat(set.warnings()).isEmpty();
        MmvpEvaluation evaluation = new MmvpEvaluation(set);
        for (String feature : List.of("class", "class_plus_mean_local")) {
            Result result = evaluation.add(feature, answers(set, feature));
            double[] percent = doubles(feature + ".accuracy_percent", 9);
            for (int i = 0; i < 9; i++) {
                PairScore score = result.pairs().patterns().get(MmvpSet.PATTERNS.get(i));
                assertThat(100 * score.fraction()).isCloseTo(percent[i], within(1e-9));
            }
            assertThat(100 * result.metrics().get("average"))
                    .isCloseTo(doubles(feature + ".average_percent", 1)[0], within(1e-9));
        }
        JsonNode json = evaluation.finish().toJson();
        assertThat(json.at("/results/0/pairs").asInt()).isEqualTo(135);
        assertThat(json.at("/results/0/intervals").fieldNames()).toIterable().containsExactly("average", "pairs");
        assertThat(json.at("/tests/0/first").asText()).isEqualTo("class");
        assertThat(json.at("/results/0/questions").size()).isEqualTo(135);
    }

    @Test
    void tieGoesToTheSecondImage() {
        MmvpPair pair = new MmvpPair("p", List.of(1, 2), List.of(), List.of());
        assertThat(new MmvpAnswer(pair, List.of(0.5, 0.5)).picked(0)).isEqualTo(2);
        assertThat(new MmvpAnswer(pair, List.of(0.51, 0.5)).correct()).isTrue();
    }

    @Test
    void missingImageIsNamedAndItsPairLeftOut() throws IOException {
        write("1,Left,\"a dog, small\"\n2,Left,a cat\n3,Left,a hat\n4,Left,a bat\n", 1, 2, 4);
        MmvpSet set = MmvpReader.read(folder, MmvpReader.Missing.LEAVE_OUT);
        assertThat(set.pairs()).hasSize(1);
        assertThat(set.pairs().get(0).statements()).containsExactly("a dog, small", "a cat");
        assertThat(set.warnings()).anyMatch(warning -> warning.contains("3.jpg: missing"));
        assertThatThrownBy(() -> MmvpReader.read(folder, MmvpReader.Missing.FAIL))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("3.jpg");
    }

    @Test
    void oddNumberOfRowsIsAnError() throws IOException {
        write("1,Left,a\n2,Left,b\n3,Left,c\n", 1, 2, 3);
        assertThatThrownBy(() -> MmvpReader.read(folder, MmvpReader.Missing.FAIL))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("3 rows")
                .hasMessageContaining("question 3 has no partner");
    }

    @Test
    void damagedRowIsNamed() throws IOException {
        write("1,Left,a\nx,Left,b\n", 1, 2);
        assertThatThrownBy(() -> MmvpReader.read(folder, MmvpReader.Missing.FAIL))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("row 3");
    }

    @Test
    void unknownPatternAmongKnownOnesIsNamedAndCountedAlone() throws IOException {
        write("1,Texts,a\n2,Texts,b\n3,Left,c\n4,Left,d\n", 3, 4);
        Path texts = Files.createDirectories(folder.resolve("MLLM_VLM Images/Texts"));
        Files.write(texts.resolve("1.jpg"), new byte[] {1});
        Files.write(texts.resolve("2.jpg"), new byte[] {1});
        MmvpSet set = MmvpReader.read(folder, MmvpReader.Missing.FAIL);
        assertThat(set.pairs()).extracting(MmvpPair::pattern).containsExactly("Texts", "Left");
        assertThat(set.warnings())
                .anyMatch(warning -> warning.contains("row 4: \"Left\" is none of the nine patterns"))
                .noneMatch(warning -> warning.contains("\"Texts\""));
    }

    private void write(String rows, int... images) throws IOException {
        Path type = Files.createDirectories(folder.resolve("MLLM_VLM Images/Left"));
        Files.writeString(folder.resolve("Questions.csv"), "Question ID,Type,Statement\n" + rows);
        for (int image : images) {
            Files.write(type.resolve(image + ".jpg"), new byte[] {1});
        }
    }

    private List<MmvpAnswer> answers(MmvpSet set, String feature) {
        double[] scores = doubles(feature + ".score_image1", 270);
        List<MmvpAnswer> answers = new ArrayList<>();
        for (int i = 0; i < 135; i++) {
            answers.add(new MmvpAnswer(set.pairs().get(i), List.of(scores[2 * i], scores[2 * i + 1])));
        }
        return answers;
    }

    private double[] doubles(String name, int count) {
        try (PointerScope scope = new PointerScope()) {
            double[] values = new double[count];
            var flat = golden.expected(name).flatten();
            for (int i = 0; i < count; i++) {
                values[i] = flat.get(i).item_double();
            }
            return values;
        }
    }
}
