package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PreprocessTest {
    private static final Golden GOLDEN = Golden.of("preprocess");

    static List<String> files() {
        return Golden.endings(GOLDEN.expected(), "eval.");
    }

    /** The decoder, the crop and the resize are those of Pillow and libjpeg to the bit: no level of 255 may differ. */
    @ParameterizedTest
    @Tag("golden")
    @MethodSource("files")
    void everyReferenceTransformGivesTheReferencePixels(String file) throws IOException {
        RasterImage image = decode(file);
        try (PointerScope scope = new PointerScope()) {
            int size = side("eval." + file);
            Close.assertClose(ImageTransform.openAi(size).apply(image), floats("eval." + file), 0, 1e-5);
            assertLevels(ImageTransform.huggingFace(size).toRgb(image), "hf_eval_u8." + file);
            assertLevels(ImageTransform.sigLip(size).toRgb(image), "squash_u8." + file);
            assertLevels(cropped(image, file), "train_crop_u8." + file);
        }
    }

    static List<String> floatFiles() {
        return Golden.endings(GOLDEN.expected(), "train_published.");
    }

    @ParameterizedTest
    @Tag("golden")
    @MethodSource("floatFiles")
    void floatTensorsOfTheTrainingStepAreTheReferences(String file) throws IOException {
        RasterImage image = decode(file);
        try (PointerScope scope = new PointerScope()) {
            ImageTransform squash = ImageTransform.sigLip(side("squash." + file));
            Close.assertClose(squash.apply(image), floats("squash." + file), 0, 1e-6);
            RasterImage train = cropped(image, file);
            ImageTransform openAi = ImageTransform.openAi(train.width());
            Close.assertClose(
                    Normalize.toChw(train, openAi.mean(), openAi.std()), floats("train_published." + file), 0, 1e-6);
            Close.assertClose(Normalize.toAutoencoder(train), floats("vae_input." + file), 0, 1e-6);
            assertLevels(image.toRgb(), "decoded_u8." + file);
        }
    }

    static List<String> cropSizes() {
        return Golden.endings(GOLDEN.expected(), "random_crop_boxes.");
    }

    @ParameterizedTest
    @Tag("golden")
    @MethodSource("cropSizes")
    void cropsAreThoseOfTorchvisionForTheSameGeneratorOutputs(String size) {
        int width = Integer.parseInt(size.substring(0, size.indexOf('x')));
        int height = Integer.parseInt(size.substring(size.indexOf('x') + 1));
        MersenneTwister random = new MersenneTwister(42);
        try (PointerScope scope = new PointerScope()) {
            float[] expected = floats("random_crop_boxes." + size);
            for (int i = 0; i < expected.length / 4; i++) {
                Box box = RandomCrop.published().box(width, height, random::next);
                assertThat(new float[] {box.top(), box.left(), box.height(), box.width()})
                        .as("draw %d", i)
                        .containsExactly(
                                expected[4 * i], expected[4 * i + 1], expected[4 * i + 2], expected[4 * i + 3]);
            }
        }
    }

    @Test
    void exifOrientationIsAppliedOnlyWhenAskedFor() throws IOException {
        byte[] file = Files.readAllBytes(Golden.model("preprocess/files/exif6.jpg"));
        RasterImage stored = ImageDecoder.reference().decode(file, "exif6.jpg");
        RasterImage upright = new ImageDecoder(1_000_000, ImageDecoder.Orientation.APPLIED).decode(file, "exif6.jpg");
        assertThat(upright.width()).isEqualTo(stored.height());
        // orientation 6: the stored left lower corner is the upper left one to look at
        int corner = (stored.height() - 1) * stored.width() * 3;
        assertThat(upright.samples()[0]).isEqualTo(stored.samples()[corner]);
        assertThat(upright.samples()[1]).isEqualTo(stored.samples()[corner + 1]);
        assertThat(stored.samples()[0]).isNotEqualTo(stored.samples()[corner]);
    }

    @Test
    void bilinearResizeOfAFloatRampIsTheRampAtTheNewPositions() {
        float[] ramp = new float[16];
        for (int i = 0; i < 16; i++) {
            ramp[i] = i % 4;
        }
        float[] half = Normalize.resizeBilinear(ramp, 4, 2);
        Close.assertClose(half, new float[] {0.5f, 2.5f, 0.5f, 2.5f}, 0, 1e-6);
    }

    private static RasterImage cropped(RasterImage image, String file) {
        float[] box = floats(GOLDEN.input("crop_box." + file));
        Box crop = new Box((int) box[0], (int) box[1], (int) box[2], (int) box[3]);
        int size = side("train_crop_u8." + file);
        return Resampler.resize(image, crop, size, size, Filter.BICUBIC).toRgb();
    }

    private static int side(String expected) {
        return Math.toIntExact(GOLDEN.expected(expected).size(2));
    }

    private static RasterImage decode(String file) throws IOException {
        return ImageDecoder.reference().decode(Files.readAllBytes(GOLDEN.file("files/" + file)), file);
    }

    private static void assertLevels(RasterImage rgb, String expected) {
        float[] zero = new float[3];
        float[] one = {1 / 255f, 1 / 255f, 1 / 255f};
        Close.assertClose(Normalize.toChw(rgb, zero, one), floats(expected), 0, 1e-3);
    }

    private static float[] floats(String expected) {
        return floats(GOLDEN.expected(expected));
    }

    private static float[] floats(Tensor tensor) {
        return Tensors.toFloats(tensor.to(ScalarType.Float));
    }
}
