package dev.diva.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.testing.Golden;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** MaskCLIP over the relatives of CLIP: each is seen at twice its size, or refused for what stands against it. */
class MaskClipTest {
    private static final int WIDTH = 40;
    private static final int HEIGHT = 24;

    /** As many patches as twice the size has, each as like a class as unlike the opposite one. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "coca",
                "coca-base",
                "mobileclip-b",
                "timm-vit-clip",
                "eva01-clip",
                "siglip2-so400m-16",
                "siglip2-naflex",
                "clipa",
                "metaclip2-open_clip"
            })
    void patchesAreComparedWithClasses(String name) {
        byte[] pixels = new byte[3 * WIDTH * HEIGHT];
        new Random(7).nextBytes(pixels);
        RasterImage picture = RasterImage.of(ColorMode.RGB, WIDTH, HEIGHT, pixels);
        try (Clip clip = Clip.load(Golden.model(name))) {
            float[] seen = clip.encodeImages(List.of(clip.preprocessing().pixels(picture)))[0];
            float[] opposite = new float[seen.length];
            for (int i = 0; i < seen.length; i++) {
                opposite[i] = -seen[i];
            }
            MaskClip segmenter = new MaskClip(clip, new float[][] {seen, opposite});
            HeatMap[] maps = segmenter.maps(picture);
            assertThat(maps).hasSize(2);
            long patches = clip.config().vision().imageSize()
                    * 2
                    / clip.config().vision().patchSize();
            assertThat((long) maps[0].rows()).isEqualTo(patches);
            assertThat(maps[0].columns()).isEqualTo((int) Math.round(patches * (double) WIDTH / HEIGHT));
            for (int i = 0; i < maps[0].cosines().length; i++) {
                assertThat(maps[0].cosines()[i]).isBetween(-1f, 1f).isEqualTo(-maps[1].cosines()[i]);
            }
            int[] labels = segmenter.labels(picture);
            assertThat(labels).hasSize(WIDTH * HEIGHT);
            assertThat(Arrays.stream(labels)).isSubsetOf(0, 1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"pe-core", "pe-core-without-class-token", "eva02-clip"})
    void rotaryTowersAreRefused(String name) {
        RasterImage picture = RasterImage.of(ColorMode.RGB, WIDTH, HEIGHT, new byte[3 * WIDTH * HEIGHT]);
        try (Clip clip = Clip.load(Golden.model(name))) {
            MaskClip segmenter = new MaskClip(
                    clip, new float[][] {new float[(int) clip.config().vision().projectionDim()]});
            assertThatThrownBy(() -> segmenter.labels(picture))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("rotary positions");
        }
    }
}
