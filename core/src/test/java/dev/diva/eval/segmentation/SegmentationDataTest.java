package dev.diva.eval.segmentation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.engine.Tensors;
import dev.diva.eval.Result;
import dev.diva.testing.Detectron2;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tiny folders in the layouts of the real sets, with detectron2's scores for given predictions. */
@Tag("golden")
class SegmentationDataTest {
    private static final Golden GOLDEN = Golden.of("san-data");

    @TempDir
    private Path temporary;

    private static int[] ints(Tensor tensor) {
        return Arrays.stream(Tensors.toLongs(tensor)).mapToInt(Math::toIntExact).toArray();
    }

    private static double[] doubles(String name) {
        Tensor tensor = GOLDEN.expected(name).contiguous();
        double[] values = new double[Math.toIntExact(tensor.numel())];
        new DoublePointer(tensor.data_ptr()).get(values);
        return values;
    }

    private static SegmentationSet set(String name) {
        return SegmentationSet.open(Layout.named(name), GOLDEN.file("datasets"));
    }

    private static List<PixelCounts> counts(SegmentationSet set, String golden) {
        List<PixelCounts> counts = new ArrayList<>();
        for (SegmentationSet.Pair pair : set.pairs()) {
            int[] truth = set.labels(pair, SegmentationSet.image(pair.image()));
            int[] predicted = ints(GOLDEN.input(golden + ".prediction." + pair.name()));
            counts.add(PixelCounts.of(predicted, truth, set.layout().classes().size()));
        }
        return counts;
    }

    @ParameterizedTest
    @CsvSource({
        "ade150, ade20k_sem_seg_val",
        "ade847, ade20k_full_sem_seg_val",
        "pc59, pcontext_sem_seg_val",
        "pc459, pcontext_full_sem_seg_val"
    })
    void scoresAreDetectron2s(String name, String golden) {
        try (PointerScope scope = new PointerScope()) {
            SegmentationSet set = set(name);
            List<PixelCounts> counts = counts(set, golden);
            int classes = set.layout().classes().size();
            ClassCounts all = ClassCounts.of(counts, classes);
            double tolerance = GOLDEN.json("case.json").path("tolerance_scores").asDouble();
            double[] iou = doubles(golden + ".iou");
            double[] accuracy = doubles(golden + ".accuracy");
            assertThat(iou).hasSize(classes);
            for (int c = 0; c < classes; c++) {
                assertThat(Double.isNaN(all.iou(c)) ? -1 : 100 * all.iou(c)).isEqualTo(iou[c], within(tolerance));
                assertThat(Double.isNaN(all.accuracy(c)) ? -1 : 100 * all.accuracy(c))
                        .isEqualTo(accuracy[c], within(tolerance));
            }
            Result result = SegmentationScores.result("model", set, counts, counts);
            Detectron2.SCORES.forEach(
                    (theirs, ours) -> assertThat(100 * result.metrics().get(ours))
                            .as(theirs)
                            .isEqualTo(doubles(golden + "." + theirs)[0], within(tolerance)));
            assertThat(result.metrics()).containsEntry("miou_minus_first", 0.0);
            assertThat(confusion(counts, classes)).isEqualTo(ints(GOLDEN.expected(golden + ".confusion")));
        }
    }

    /** All non-zero cells of the set: rows of predicted, true, pixels. */
    private static int[] confusion(List<PixelCounts> counts, int classes) {
        int[] predicted = new int[0];
        int[] truth = new int[0];
        for (PixelCounts picture : counts) {
            for (int i = 0; i < picture.cells().length; i += 3) {
                int n = picture.cells()[i + 2];
                int from = predicted.length;
                predicted = Arrays.copyOf(predicted, from + n);
                truth = Arrays.copyOf(truth, from + n);
                Arrays.fill(predicted, from, from + n, picture.cells()[i]);
                Arrays.fill(truth, from, from + n, picture.cells()[i + 1]);
            }
        }
        return PixelCounts.of(predicted, truth, classes).cells();
    }

    @Test
    void namesAreThoseThatSanRegisters() {
        JsonNode registered = GOLDEN.json("classes.json");
        Map.of(
                        "ade150", "ade20k_sem_seg_val",
                        "ade847", "ade20k_full_sem_seg_val",
                        "pc59", "pcontext_sem_seg_val",
                        "pc459", "pcontext_full_sem_seg_val",
                        "voc20", "voc_sem_seg_val",
                        "cocostuff171", "coco_2017_train_stuff_sem_seg")
                .forEach((ours, theirs) -> {
                    Layout layout = Layout.named(ours);
                    assertThat(new ObjectMapper().<JsonNode>valueToTree(layout.classes()))
                            .isEqualTo(registered.at("/" + theirs + "/classes"));
                    assertThat(layout.ignored())
                            .isEqualTo(registered.at("/" + theirs + "/ignored").asInt());
                });
    }

    @Test
    void whatLacksAPartnerIsLeftOutAndTold() throws IOException {
        Path images = Files.createDirectories(temporary.resolve("pcontext/val/image"));
        Path labels = Files.createDirectories(temporary.resolve("pcontext/val/label"));
        SegmentationSet.Pair pair = set("pc59").pairs().get(0);
        Files.copy(pair.image(), images.resolve("both.jpg"));
        Files.copy(pair.label(), labels.resolve("both.png"));
        Files.copy(pair.image(), images.resolve("alone.jpg"));
        SegmentationSet set = SegmentationSet.open(Layout.named("pc59"), temporary);
        assertThat(set.pairs()).extracting(SegmentationSet.Pair::name).containsExactly("both");
        assertThat(set.warnings()).singleElement().asString().contains("alone.jpg", "no label map");
    }

    @Test
    void labelsOfAnotherSizeAndBeyondTheClassesAreRefused() throws IOException {
        SegmentationSet set = set("ade150");
        SegmentationSet.Pair first = set.pairs().get(0);
        SegmentationSet.Pair mixed = new SegmentationSet.Pair(
                first.name(), first.image(), set.pairs().get(1).label());
        assertThatThrownBy(() -> set.labels(mixed, SegmentationSet.image(mixed.image())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(mixed.label().toString())
                .hasMessageContaining(mixed.image().toString());
        Layout narrow = new Layout("narrow", "", "", 255, List.of("wall"));
        assertThatThrownBy(() -> new SegmentationSet(narrow, set.pairs(), List.of())
                        .labels(first, SegmentationSet.image(first.image())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(first.label().toString())
                .hasMessageContaining("narrow has 0..0");
        assertThatThrownBy(() -> SegmentationSet.open(Layout.named("voc20"), temporary))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("VOC2012");
    }

    @Test
    void aKilledRunGoesOnAndOtherModelsAreRefused() throws IOException {
        Path file = temporary.resolve("counts.jsonl");
        PixelCounts counts = new PixelCounts(new int[] {0, 1, 7, 1, 1, 2});
        try (SegmentationRecord record = new SegmentationRecord(file, "model A", 2)) {
            record.add("first", counts);
            record.add("second", counts);
        }
        Files.writeString(file, Files.readString(file).strip().replaceAll("..$", "")); // cut short by a kill
        try (SegmentationRecord record = new SegmentationRecord(file, "model A", 2)) {
            assertThat(record.of("first").cells()).isEqualTo(counts.cells());
            assertThat(record.of("second")).isNull();
            record.add("second", counts);
        }
        assertThat(Files.readAllLines(file)).hasSize(3);
        assertThatThrownBy(() -> new SegmentationRecord(file, "model B", 2))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("model A")
                .hasMessageContaining("model B");
        assertThatThrownBy(() -> new SegmentationRecord(file, "model A", 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("line 2");
    }

    private static Layout own(Path file, String name, String rest) throws IOException {
        Files.writeString(file, "name: " + name + "\nimages: images\n" + rest);
        return Layout.named(file.toString());
    }

    @Test
    void anOwnSetIsNamedByAllThatItsCountsDependOn() throws IOException {
        assertThat(Layout.all())
                .allSatisfy(known -> assertThat(known.identity()).isEqualTo(known.name()));
        Path file = temporary.resolve("mine.yaml");
        String mine = own(file, "mine", "labels: a\nignored: 255\nclasses: [cat, dog]\n")
                .identity();
        assertThat(own(temporary.resolve("copy.yaml"), "mine", "labels: a\nignored: 255\nclasses: [cat, dog]\n")
                        .identity())
                .isEqualTo(mine)
                .contains("mine", "images images", "labels a", "ignored 255", "2 classes");
        assertThat(List.of(
                        own(file, "mine", "labels: b\nignored: 255\nclasses: [cat, dog]\n"),
                        own(file, "mine", "labels: a\nignored: 254\nclasses: [cat, dog]\n"),
                        own(file, "mine", "labels: a\nignored: 255\nclasses: [dog, cat]\n"),
                        own(file, "voc20", "labels: a\nignored: 255\nclasses: [cat, dog]\n")))
                .extracting(Layout::identity)
                .doesNotHaveDuplicates()
                .doesNotContain(mine, "voc20");
    }

    @Test
    void twoSetsOfOneNameAreRefused() throws IOException {
        Path one = temporary.resolve("one.yaml");
        Path two = temporary.resolve("two.yaml");
        String rest = "labels: a\nignored: 255\nclasses: [cat, dog]\n";
        own(one, "mine", rest);
        own(two, "mine", rest);
        assertThatThrownBy(() -> Layout.named(List.of("pc59", one.toString(), two.toString())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll(one.toString(), two.toString(), "name mine");
        assertThat(Layout.named(List.of("pc59", one.toString(), "pc59")))
                .extracting(Layout::name)
                .containsExactly("pc59", "mine");
    }
}
