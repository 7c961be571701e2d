package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.data.RasterImage;
import dev.diva.demo.ShippedModels;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.testing.Golden;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Image towers in int8 against fp32, on any processor: one without instructions multiplies the same whole numbers slowly. */
class Int8TowerTest {
    private static final Clip.Options FP32 = new Clip.Options(Precision.FP32, 1, 64, null);
    private static final Clip.Options INT8 = FP32.withPrecision(Precision.INT8);
    private static final int PICTURES = 400;

    @TempDir
    Path folder;

    @Test
    void trainedClipSeesTheSame() {
        ShippedModels.unpack(folder);
        SceneSampler scenes = new SceneSampler(3, Split.TEST);
        SceneRenderer renderer = new SceneRenderer(48);
        List<String> classes = List.of("a cup", "a ball", "a tree", "a house", "a car", "a fish", "a bird", "a star");
        try (Clip exact = Clip.load(folder.resolve("clip"), FP32);
                Clip rounded = Clip.load(folder.resolve("clip"), INT8)) {
            List<float[]> pixels = IntStream.range(0, PICTURES)
                    .mapToObj(i -> exact.preprocessing().pixels(RasterImage.of(renderer.render(scenes.scene(i)))))
                    .toList();
            float[][] expected = exact.encodeImages(pixels);
            float[][] found = rounded.encodeImages(pixels);
            float[][] texts = exact.encodeTexts(classes);
            int same = 0;
            for (int i = 0; i < PICTURES; i++) {
                assertThat(cosine(expected[i], found[i])).as("picture " + i).isBetween(0.9995, 0.999_999);
                same += best(expected[i], texts) == best(found[i], texts) ? 1 : 0;
            }
            assertThat(same).as("the same class of " + PICTURES).isGreaterThanOrEqualTo(PICTURES * 99 / 100);
            assertThat(rounded.encodeTexts(classes)).as("texts as without int8").hasDimensions(8, texts[0].length);
        }
    }

    /** Random weights: gated layers, norms inside, rotary positions, attention pooling, the head of timm. */
    @ParameterizedTest
    @ValueSource(strings = {"clip-hf-vit", "siglip-hf", "eva02-clip", "pe-core", "timm-vit-clip"})
    void everyFamilyComesClose(String name) {
        Path model = Golden.model(name);
        try (Clip exact = Clip.load(model, FP32);
                Clip rounded = Clip.load(model, INT8)) {
            List<float[]> pixels = pixels(exact);
            float[][] expected = exact.encodeImages(pixels);
            float[][] found = rounded.encodeImages(pixels);
            for (int i = 0; i < expected.length; i++) {
                assertThat(cosine(expected[i], found[i])).isBetween(0.995, 0.999_999);
            }
        }
    }

    @Test
    void layersTakeAtMostSixTenthsOfBf16() {
        ShippedModels.unpack(folder);
        double share = (double) layerBytes(Precision.INT8) / layerBytes(Precision.BF16);
        assertThat(share).isBetween(0.5, 0.6);
    }

    private long layerBytes(Precision precision) {
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint checkpoint = ClipCheckpoint.open(folder.resolve("clip"), null);
                Weights weights = Weights.frozen(checkpoint.tensors(), Placement.cpu(precision))) {
            new VisionTower(weights, new ClipFiles(checkpoint).config().vision());
            return weights.tensors().entrySet().stream()
                    .filter(tensor -> tensor.getKey().contains(".layers."))
                    .mapToLong(tensor -> bytes(tensor.getValue()))
                    .sum();
        }
    }

    private static long bytes(Tensor tensor) {
        return tensor.numel() * tensor.element_size();
    }

    private static List<float[]> pixels(Clip clip) {
        Random random = new Random(2);
        int side = Math.toIntExact(clip.config().vision().imageSize());
        int values = 3 * side * side;
        return IntStream.range(0, 4)
                .mapToObj(i -> {
                    float[] pixels = new float[values];
                    for (int k = 0; k < values; k++) {
                        pixels[k] = (float) random.nextGaussian();
                    }
                    return pixels;
                })
                .toList();
    }

    private static int best(float[] image, float[]... texts) {
        int best = 0;
        for (int i = 1; i < texts.length; i++) {
            best = cosine(image, texts[i]) > cosine(image, texts[best]) ? i : best;
        }
        return best;
    }

    private static double cosine(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
