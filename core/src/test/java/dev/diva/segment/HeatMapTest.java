package dev.diva.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import org.junit.jupiter.api.Test;

class HeatMapTest {
    /** A grey picture of 4 x 2 pixels under 2 x 1 patches: 0.6 of the colour and 0.4 of the grey. */
    @Test
    void patchesHaveTheColourOfTheirCosines() {
        byte[] grey = new byte[3 * 4 * 2];
        java.util.Arrays.fill(grey, (byte) 100);
        RasterImage image = RasterImage.of(ColorMode.RGB, 4, 2, grey);
        HeatMap map = new HeatMap(1, 2, 0.1f, 0.3f);
        assertThat(map.least()).isEqualTo(0.1f);
        assertThat(map.most()).isEqualTo(0.3f);
        byte[] drawn = map.draw(image, 0.1f, 0.3f).samples();
        int[] cold = {
            (int) Math.round(0.6 * 0x1d + 40), (int) Math.round(0.6 * 0x2f + 40), (int) Math.round(0.6 * 0x6f + 40)
        };
        int[] hot = {
            (int) Math.round(0.6 * 0xff + 40), (int) Math.round(0.6 * 0xd2 + 40), (int) Math.round(0.6 * 0x3f + 40)
        };
        for (int pixel = 0; pixel < 8; pixel++) {
            for (int c = 0; c < 3; c++) {
                assertThat(drawn[3 * pixel + c] & 0xff).isEqualTo(pixel % 4 < 2 ? cold[c] : hot[c]);
            }
        }
    }
}
