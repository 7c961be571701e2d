package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreprocessTest {
    private static final Golden GOLDEN = Golden.of("preprocess");

    /** File, levels of 255 that our decoder may differ by: PNG none, JPEG 4, CMYK 8. */
    @ParameterizedTest
    @CsvSource({
        "odd.png,0",
        "large.png,0",
        "gray.png,0",
        "rgba.png,0",
        "palette.png,0",
        "gray_alpha.png,0",
        "thin.png,0",
        "cmyk_jpg_decoded.png,0",
        "exif6_jpg_decoded.png,0",
        "gray_jpg_decoded.png,0",
        "gray.jpg,0",
        "exif6.jpg,4",
        "cmyk.jpg,0"
    })
    void everyReferenceTransformGivesTheReferencePixels(String file, int levels) throws IOException {
        RasterImage image = decode(file);
        float[] eval = ImageTransform.openAi(32).apply(image);
        try (PointerScope scope = new PointerScope()) {
            Close.assertClose(eval, floats("eval." + file), 0, levels == 0 ? 1e-5 : levels / 255.0 / 0.26);
            assertLevels(ImageTransform.huggingFace(32).toRgb(image), "hf_eval_u8." + file, levels);
            assertLevels(ImageTransform.sigLip(32).toRgb(image), "squash_u8." + file, levels);
            float[] box = Tensors.toFloats(
                    GOLDEN.input("crop_box." + file).to(org.bytedeco.pytorch.global.torch.ScalarType.Float));
            Box crop = new Box((int) box[0], (int) box[1], (int) box[2], (int) box[3]);
            RasterImage train =
                    Resampler.resize(image, crop, 64, 64, Filter.BICUBIC).toRgb();
            assertLevels(train, "train_crop_u8." + file, levels);
        }
    }

    @Test
    void floatTensorsOfTheTrainingStepAreTheReferences() throws IOException {
        RasterImage image = decode("odd.png");
        try (PointerScope scope = new PointerScope()) {
            Close.assertClose(ImageTransform.sigLip(32).apply(image), floats("squash.odd.png"), 0, 1e-6);
            float[] box = floats(GOLDEN.input("crop_box.odd.png"));
            Box crop = new Box((int) box[0], (int) box[1], (int) box[2], (int) box[3]);
            RasterImage train =
                    Resampler.resize(image, crop, 64, 64, Filter.BICUBIC).toRgb();
            ImageTransform openAi = ImageTransform.openAi(64);
            Close.assertClose(
                    Normalize.toChw(train, openAi.mean(), openAi.std()), floats("train_published.odd.png"), 0, 1e-6);
            Close.assertClose(Normalize.toAutoencoder(train), floats("vae_input.odd.png"), 0, 1e-6);
            assertLevels(image.toRgb(), "decoded_u8.odd.png", 0);
        }
    }

    @ParameterizedTest
    @CsvSource({"640,480", "480,640", "512,512", "1000,200", "37,53"})
    void cropsAreThoseOfTorchvisionForTheSameGeneratorOutputs(int width, int height) {
        MersenneTwister random = new MersenneTwister(42);
        try (PointerScope scope = new PointerScope()) {
            float[] expected = floats("random_crop_boxes." + width + "x" + height);
            for (int i = 0; i < 10; i++) {
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
        byte[] file = Files.readAllBytes(GOLDEN.file("files/exif6.jpg"));
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

    private static RasterImage decode(String file) throws IOException {
        return ImageDecoder.reference().decode(Files.readAllBytes(GOLDEN.file("files/" + file)), file);
    }

    private static void assertLevels(RasterImage rgb, String expected, int levels) {
        float[] zero = new float[3];
        float[] one = {1 / 255f, 1 / 255f, 1 / 255f};
        Close.assertClose(Normalize.toChw(rgb, zero, one), floats(expected), 0, levels + 1e-3);
    }

    private static float[] floats(String expected) {
        return floats(GOLDEN.expected(expected));
    }

    private static float[] floats(org.bytedeco.pytorch.Tensor tensor) {
        return Tensors.toFloats(tensor.to(org.bytedeco.pytorch.global.torch.ScalarType.Float));
    }
}
