package dev.diva.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.CaptionParser;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.awt.image.BufferedImage;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Pictures of scenes. */
class SceneRendererTest {
    private static final List<Scene> SCENES = LongStream.range(0, 300)
            .mapToObj(new SceneSampler(1, Split.PRETRAIN)::scene)
            .toList();

    private static String hash(int side, boolean parallel) throws NoSuchAlgorithmException {
        SceneRenderer renderer = new SceneRenderer(side);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        (parallel ? SCENES.parallelStream() : SCENES.stream())
                .map(renderer::rgb)
                .toList()
                .forEach(digest::update);
        return HexFormat.of().formatHex(digest.digest());
    }

    @Test
    void sameScenesGiveSameBytesOnAnyThread() throws NoSuchAlgorithmException {
        assertThat(hash(48, true)).isEqualTo(hash(48, false));
        assertThat(hash(64, true)).isEqualTo(hash(64, false)).isNotEqualTo(hash(48, false));
    }

    @Test
    void imageHasTheSideAskedFor() {
        BufferedImage image = new SceneRenderer(64).render(SCENES.get(0));
        assertThat(image.getWidth()).isEqualTo(64);
        assertThat(image.getHeight()).isEqualTo(64);
        assertThat(new SceneRenderer(64).rgb(SCENES.get(0))).hasSize(64 * 64 * 3);
    }

    @Test
    void rgbAreTheRowsOfTheImage() {
        SceneRenderer renderer = new SceneRenderer(48);
        byte[] rgb = renderer.rgb(SCENES.get(0));
        int pixel = renderer.render(SCENES.get(0)).getRGB(7, 40);
        int at = 3 * (40 * 48 + 7);
        assertThat(new int[] {rgb[at] & 255, rgb[at + 1] & 255, rgb[at + 2] & 255})
                .containsExactly(pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255);
    }

    @Test
    void imagesOfTheWorldAreNeitherDarkNorFlat() {
        SceneRenderer renderer = new SceneRenderer(48);
        for (Scene scene : SCENES) {
            int low = 255;
            int high = 0;
            for (byte value : renderer.rgb(scene)) {
                low = Math.min(low, value & 255);
                high = Math.max(high, value & 255);
            }
            assertThat(high - low).isGreaterThan(150);
        }
    }

    @Test
    void sceneWithUnknownAttributeIsRefused() {
        assertThatThrownBy(() -> new SceneRenderer(48).render(CaptionParser.parse("a cup by the sea")))
                .isInstanceOf(BadInputException.class);
    }

    @Test
    void impossibleSizeIsRefused() {
        assertThatThrownBy(() -> new SceneRenderer(8))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("16 to 1024");
    }
}
