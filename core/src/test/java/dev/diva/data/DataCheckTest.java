package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataCheckTest {
    @TempDir
    private Path folder;

    @Test
    void bordersSmallImagesDuplicatesAndDamageAreCounted() throws IOException {
        write("a.png", picture(64, 64, 0));
        Files.copy(folder.resolve("a.png"), folder.resolve("copy.png"));
        write("near.bmp", picture(64, 64, 0));
        write("padded.png", picture(64, 64, 12));
        write("small.png", turned(picture(20, 40, 0)));
        Files.write(folder.resolve("empty.jpg"), new byte[0]);

        ImageSet images = ImageSet.open(List.of(folder.toString()), problem -> {});
        DataCheck check = DataCheck.run(images, ImageDecoder.reference(), 100, 1, 48);

        assertThat(check.checked()).isEqualTo(6);
        assertThat(check.unreadable()).singleElement().asString().contains("empty.jpg");
        assertThat(check.padded()).isCloseTo(1 / 5.0, within(1e-9));
        assertThat(check.small()).isCloseTo(1 / 5.0, within(1e-9));
        assertThat(check.exactDuplicates()).containsExactly(List.of(name("a.png"), name("copy.png")));
        assertThat(check.nearDuplicates()).hasSize(1);
        assertThat(check.nearDuplicates().get(0)).hasSize(2).contains(name("near.bmp"));
    }

    private String name(String file) {
        return folder.resolve(file).toString();
    }

    private void write(String name, BufferedImage image) throws IOException {
        ImageIO.write(
                image,
                name.substring(name.indexOf('.') + 1),
                folder.resolve(name).toFile());
    }

    private static BufferedImage picture(int width, int height, int border) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        for (int x = 0; x < width; x++) {
            graphics.setColor(new Color(border == 0 ? 40 + 150 * x / width : 190 - 150 * x / width, 90, 60));
            graphics.drawLine(x, 0, x, height);
        }
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width, border);
        graphics.fillRect(0, height - border, width, border);
        graphics.fillOval(width / 2, height / 3, width / 4, height / 4);
        graphics.dispose();
        return image;
    }

    private static BufferedImage turned(BufferedImage image) {
        BufferedImage out = new BufferedImage(image.getHeight(), image.getWidth(), BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                out.setRGB(y, x, image.getRGB(x, y));
            }
        }
        return out;
    }
}
