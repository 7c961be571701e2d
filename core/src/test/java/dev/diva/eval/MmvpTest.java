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
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MmvpTest {
    private static final String CASE = "mmvp-vlm";

    @TempDir
    Path folder;

    @Test
    @Tag("golden")
    void goldenProbabilitiesGiveThePublishedScores() {
        MmvpSet set = MmvpReader.read(Golden.of(CASE).file("MMVP_VLM"), MmvpReader.Missing.FAIL);
        assertThat(set.warnings()).isEmpty();
        MmvpEvaluation evaluation = new MmvpEvaluation(set);
        for (String feature : List.of("class", "class_plus_mean_local")) {
            Result result = evaluation.add(feature, answers(set, feature));
            double[] percent = doubles(feature + ".accuracy_percent");
            for (int i = 0; i < percent.length; i++) {
                PairScore score = result.pairs().patterns().get(MmvpSet.PATTERNS.get(i));
                assertThat(100 * score.fraction()).isCloseTo(percent[i], within(1e-9));
            }
            assertThat(100 * result.metrics().get("average"))
                    .isCloseTo(doubles(feature + ".average_percent")[0], within(1e-9));
        }
        JsonNode json = evaluation.finish().toJson();
        int numPairs = doubles("class.score_image1").length / 2;
        assertThat(json.at("/results/0/pairs").asInt()).isEqualTo(numPairs);
        assertThat(json.at("/results/0/intervals").fieldNames()).toIterable().containsExactly("average", "pairs");
        assertThat(json.at("/tests/0/first").asText()).isEqualTo("class");
        assertThat(json.at("/results/0/questions").size()).isEqualTo(numPairs);
    }

    @Test
    void tieGoesToTheSecondImage() {
        MmvpPair pair = new MmvpPair("p", List.of(1, 2), List.of(), List.of());
        assertThat(new MmvpAnswer(pair, List.of(0.5, 0.5)).picked(0)).isEqualTo(2);
        assertThat(new MmvpAnswer(pair, List.of(0.51, 0.5)).correct()).isTrue();
    }

    /** f1 = (1, 0), f2 = (0.6, 0.8); t1 = (0.8, 0.6), t2 = (1, 0): leads 0.8 - 0.96 and 1 - 0.6, true of the first and of the second image. */
    @Test
    void sigAndBiasSayWhyAPairIsWrong() {
        MmvpPair pair = new MmvpPair("p", List.of(1, 2), List.of(), List.of());
        MmvpAnswer answer = new MmvpAnswer(pair, List.of(0.4, 0.7), List.of(-0.16, 0.4));
        // (f1 - f2) (t1 - t2) / 2 = (0.4, -0.8) (-0.2, 0.6) / 2, |(f1 - f2) (t1 + t2)| / 2 = |(0.4, -0.8) (1.8, 0.6)| /
        // 2
        assertThat(answer.sig()).isCloseTo(-0.28, within(1e-12));
        assertThat(answer.bias()).isCloseTo(0.12, within(1e-12));
        MmvpAnswer turned = new MmvpAnswer(
                new MmvpPair("p", List.of(2, 1), List.of(), List.of()), List.of(0.4, 0.7), List.of(-0.16, 0.4));
        assertThat(turned.sig()).isCloseTo(0.28, within(1e-12));
        assertThat(turned.correct()).isEqualTo(turned.sig() > turned.bias()).isTrue();
        MmvpAnswer ordered = new MmvpAnswer(pair, List.of(0.8, 0.6), List.of(0.5, 0.1));
        assertThat(ordered.sig()).isCloseTo(0.2, within(1e-12));
        assertThat(ordered.bias()).isCloseTo(0.3, within(1e-12));
        assertThat(ordered.correct()).isEqualTo(ordered.sig() > ordered.bias()).isFalse();
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
        assertThat(set.warnings()).anyMatch(warning -> warning.contains("1 of 2 pairs are left out"));
    }

    /** Odd ids first, as a spreadsheet sorts; two of one type that are strangers; two types. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "1,Left,a\n3,Left,c\n2,Left,b\n4,Left,d\n;rows 2 and 3: questions 1 and 3 are no pair, both ids are odd",
                "2,Left,b\n3,Left,c\n4,Left,d\n1,Left,a\n;rows 2 and 3: questions 2 and 3 are no pair, question 4",
                "1,Left,a\n2,Right,b\n;rows 2 and 3: questions 1 and 2 are no pair, their types",
                "1,Left,a\n2,Left,b\n,,\n1,Left,a\n2,Left,b\n;rows 2 and 5: both are question 1",
            })
    void strangersAreToldByRow(String rowsAndMessage) throws IOException {
        String[] parts = rowsAndMessage.split(";");
        write(parts[0], 1, 2, 3, 4);
        assertThatThrownBy(() -> MmvpReader.read(folder, MmvpReader.Missing.FAIL))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(parts[1]);
    }

    @Test
    void rowsSwappedInsideAPairMeanTheSamePair() throws IOException {
        write("2,Left,b\n1,Left,a\n", 1, 2);
        MmvpPair pair = MmvpReader.read(folder, MmvpReader.Missing.FAIL).pairs().get(0);
        assertThat(pair.ids()).containsExactly(1, 2);
        assertThat(pair.statements()).containsExactly("a", "b");
        assertThat(pair.images())
                .extracting(Path::getFileName)
                .extracting(Path::toString)
                .containsExactly("1.jpg", "2.jpg");
    }

    @Test
    void suffixesInCapitalsAreImages() throws IOException {
        write("1,Left,a\n2,Left,b\n", 1);
        Files.write(folder.resolve("MLLM_VLM Images/Left/2.JPG"), new byte[] {1});
        assertThat(MmvpReader.read(folder, MmvpReader.Missing.FAIL).pairs()).hasSize(1);
    }

    @Test
    void missingHeaderIsNamedAndAMarkBeforeItIsNone() throws IOException {
        write("1,Left,a\n2,Left,b\n", 1, 2);
        Path table = folder.resolve("Questions.csv");
        Files.writeString(table, "\ufeff" + Files.readString(table).replace("\n", "\r\n"));
        assertThat(MmvpReader.read(folder, MmvpReader.Missing.FAIL).pairs()).hasSize(1);
        Files.writeString(table, "\ufeff1,Left,a\n2,Left,b\n");
        assertThatThrownBy(() -> MmvpReader.read(folder, MmvpReader.Missing.FAIL))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("row 1: a question, expected the header");
    }

    @Test
    void whenEveryImageIsMissingTheFirstIsNamed() throws IOException {
        write("1,Left,a\n2,Left,b\n");
        assertThatThrownBy(() -> MmvpReader.read(folder, MmvpReader.Missing.LEAVE_OUT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("1.jpg: missing; none of the 1 pairs");
    }

    /** Sorted by type: the pairs and their types stay as they are. */
    @Test
    @Tag("golden")
    void orderOfTheKnownPairsDoesNotMoveThemToOtherPatterns() throws IOException {
        Path known = Golden.of(CASE).file("MMVP_VLM");
        List<String> lines = Files.readAllLines(known.resolve("Questions.csv"));
        List<String> turned = new ArrayList<>(List.of(lines.get(0)));
        for (int i = lines.size() - 2; i > 0; i -= 2) {
            turned.addAll(lines.subList(i, i + 2));
        }
        Files.write(folder.resolve("Questions.csv"), turned);
        Files.createDirectories(folder.resolve("MLLM_VLM_Images"));
        List<MmvpPair> pairs = MmvpReader.read(known, MmvpReader.Missing.FAIL).pairs();
        for (MmvpPair pair : pairs) {
            for (Path image : pair.images()) {
                Path copy = folder.resolve("MLLM_VLM_Images")
                        .resolve(image.getParent().getFileName())
                        .resolve(image.getFileName());
                Files.createDirectories(copy.getParent());
                Files.write(copy, new byte[] {1});
            }
        }
        MmvpSet set = MmvpReader.read(folder, MmvpReader.Missing.FAIL);
        assertThat(set.warnings()).isEmpty();
        assertThat(set.pairs())
                .extracting(pair -> pair.ids() + pair.pattern())
                .containsExactlyInAnyOrderElementsOf(
                        pairs.stream().map(pair -> pair.ids() + pair.pattern()).toList());
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
        double[] scores = doubles(feature + ".score_image1");
        List<MmvpAnswer> answers = new ArrayList<>();
        for (int i = 0; i < scores.length / 2; i++) {
            answers.add(new MmvpAnswer(set.pairs().get(i), List.of(scores[2 * i], scores[2 * i + 1])));
        }
        return answers;
    }

    private double[] doubles(String name) {
        try (PointerScope scope = new PointerScope()) {
            Tensor flat = Golden.of(CASE).expected(name).flatten();
            double[] values = new double[(int) flat.numel()];
            for (int i = 0; i < values.length; i++) {
                values[i] = flat.get(i).item_double();
            }
            return values;
        }
    }
}
