package dev.diva.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.diva.clip.Clip;
import dev.diva.data.DataFile;
import dev.diva.data.ImageEntry;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From files to scores with the tower of clip-hf-vit, against the authors' code and CLIP_benchmark. */
@Tag("golden")
class ClipScoresTest {
    private static Clip clip;

    @BeforeAll
    static void load() {
        clip = Clip.load(Golden.path("clip-hf-vit"));
    }

    @AfterAll
    static void close() {
        clip.close();
    }

    @Test
    void everyQuestionPicksTheImageOfTheAuthorsCode() {
        requireQuestions(Feature.ZERO_SHOT, "class");
        requireQuestions(Feature.CLASS_PLUS_MEAN_LOCAL, "class_plus_mean_local");
    }

    private static void requireQuestions(Feature feature, String name) {
        Golden golden = Golden.of("mmvp-vlm");
        MmvpSet set = MmvpReader.read(golden.file("MMVP_VLM"), MmvpReader.Missing.FAIL);
        List<MmvpAnswer> answers = MmvpScorer.answers(set, new ClipEncoder(name, clip, feature));
        try (PointerScope scope = new PointerScope()) {
            float[] expected = Tensors.toFloats(golden.expected(name + ".score_image1"));
            float[] actual = new float[expected.length];
            for (int i = 0; i < actual.length; i++) {
                MmvpAnswer answer = answers.get(i / 2);
                actual[i] = answer.probability().get(i % 2).floatValue();
                assertThat(answer.picked(i % 2)).as("question %d", i + 1).isEqualTo(expected[i] > 0.5 ? 1 : 2);
            }
            Close.assertClose(actual, expected, 0, tolerance(golden, "tolerance_with_other_jpeg_decoder"));
        }
    }

    private static double tolerance(Golden golden, String name) {
        return golden.json("case.json").required(name).asDouble();
    }

    /** OpenAI's and open_clip's code straightens quotes and reads entities; transformers' tokenizer does not. */
    @Test
    void textsAreCleanedAsTheBenchmarksDoWhateverTheLayout() {
        ClipEncoder encoder = new ClipEncoder("tiny", clip, Feature.ZERO_SHOT);
        float[][] rows =
                encoder.texts(List.of("the dog\u2019s \u201cball\u201d &amp; hat", "the dog's \"ball\" & hat"));
        assertThat(rows[0]).isEqualTo(rows[1]);
        assertThat(clip.encodeTexts(List.of("the dog\u2019s"))[0])
                .as("the layout's own tokenizer keeps them")
                .isNotEqualTo(clip.encodeTexts(List.of("the dog's"))[0]);
    }

    /** An odd margin: OpenAI's code crops at column 2 (1.5, half to even), transformers' at 1. */
    @Test
    void imagesAreCroppedAsTheBenchmarksDoWhateverTheLayout(@TempDir Path folder) throws IOException {
        int side = clip.preprocessing().imageSize();
        BufferedImage image = new BufferedImage(side + 3, side, BufferedImage.TYPE_INT_RGB);
        for (int x = 0; x < side + 3; x++) {
            for (int y = 0; y < side; y++) {
                image.setRGB(x, y, x * 0x030507 + y);
            }
        }
        Path file = folder.resolve("odd.png");
        ImageIO.write(image, "png", file.toFile());
        float[] actual = new ClipEncoder("tiny", clip, Feature.ZERO_SHOT).pixels(ImageEntry.of(file));
        float[] mean = clip.preprocessing().mean();
        float[] std = clip.preprocessing().std();
        int blue = 2 * side * side;
        assertThat(actual[blue]).isCloseTo((14 / 255f - mean[2]) / std[2], within(1e-6f));
    }

    @Test
    void classificationGivesTheLogitsAndScoresOfClipBenchmark() {
        Golden golden = Golden.of("zeroshot");
        ZeroShotEvaluation evaluation =
                new ZeroShotEvaluation(new Webdataset(DataFile.of(golden.file("classification")), "test"));
        ClipEncoder encoder = new ClipEncoder("tiny", clip, Feature.ZERO_SHOT);
        List<float[]> logits = new ArrayList<>();
        evaluation.run(encoder, (labels, row) -> logits.add(row));
        Result result = evaluation.add(encoder);
        try (PointerScope scope = new PointerScope()) {
            float[] expected = Tensors.toFloats(golden.expected("classification.logits"));
            int numClasses = logits.get(0).length;
            assertThat(expected).hasSize(logits.size() * numClasses);
            float[] actual = new float[expected.length];
            for (int i = 0; i < actual.length; i++) {
                actual[i] = logits.get(i / numClasses)[i % numClasses];
            }
            Close.assertClose(actual, expected, 0, 100 * tolerance(golden, "tolerance_abs_fp32"));
            assertThat(result.metrics()).containsKeys("acc1", "mean_per_class_recall");
            result.metrics()
                    .forEach((metric, value) -> assertThat(value)
                            .as(metric)
                            .isCloseTo(
                                    golden.expected("classification." + metric).item_double(), within(1e-7)));
        }
    }

    @Test
    void retrievalGivesTheRecallsOfClipBenchmark() {
        Golden golden = Golden.of("zeroshot");
        RetrievalEvaluation evaluation = new RetrievalEvaluation(
                new Webdataset(DataFile.of(golden.file("retrieval")), "test"), List.of(1, 5, 10));
        Result result = evaluation.add(new ClipEncoder("tiny", clip, Feature.ZERO_SHOT));
        assertThat(result.metrics()).containsKeys("image_retrieval_recall@1", "text_retrieval_recall@10");
        try (PointerScope scope = new PointerScope()) {
            result.metrics()
                    .forEach((metric, value) -> assertThat(value)
                            .as(metric)
                            .isCloseTo(golden.expected("retrieval." + metric).item_double(), within(1e-7)));
        }
    }
}
