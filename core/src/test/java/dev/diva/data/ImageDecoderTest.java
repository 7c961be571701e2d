package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDecoderTest {
    private static final ImageDecoder SMALL = new ImageDecoder(1 << 20, ImageDecoder.Orientation.APPLIED);

    @Test
    void damagedFilesAreBadInputAndNothingElse() throws IOException {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
        int decoded = 0;
        for (byte[] file : samples()) {
            for (int i = 0; i < 250; i++) {
                byte[] damaged = damage(file, random);
                try {
                    SMALL.decode(damaged, "damaged");
                    decoded++;
                } catch (BadInputException e) {
                    assertThat(e.getMessage()).startsWith("damaged: ").doesNotContain("\n");
                }
            }
        }
        assertThat(decoded).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"odd.png", "exif6.jpg", "gray.jpg", "cmyk.jpg", "palette.png"})
    void truncatedFilesAreRefused(String name) throws IOException {
        byte[] file = Files.readAllBytes(Golden.resource("preprocess").file("files/" + name));
        for (int length : new int[] {1, 3, 20, file.length / 2, file.length - 8}) {
            assertThatThrownBy(() -> SMALL.decode(Arrays.copyOf(file, length), "cut"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("cut: ");
        }
    }

    @Test
    void emptyFilesAndTextAreRefusedByName() {
        assertThatThrownBy(() -> SMALL.decode(new byte[0], "a.jpg")).hasMessage("a.jpg: the file is empty");
        assertThatThrownBy(() -> SMALL.decode("a letter".getBytes(StandardCharsets.UTF_8), "b.jpg"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("b.jpg: not a JPEG")
                .hasMessageContaining("a letter");
        assertThatThrownBy(() -> SMALL.decode("<html>".getBytes(StandardCharsets.UTF_8), "c.jpg"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("c.jpg: is a web page");
    }

    @Test
    void hugeDeclaredSizesAreRefusedBeforeDecoding() throws IOException {
        byte[] file = Files.readAllBytes(Golden.resource("preprocess").file("files/odd.png"));
        file[16] = 0x40;
        assertThatThrownBy(() -> SMALL.decode(file, "bomb.png"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("more than the limit of 1048576");
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "bmp", "gif", "webp-lossless"})
    void losslessFormatsKeepTheirPixels(String format) throws IOException {
        BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
        int[] colors = {0xff0000, 0x00ff00, 0x0000ff, 0x000000, 0xffffff, 0x336699};
        image.setRGB(0, 0, 3, 2, colors, 0, 3);
        byte[] file = format.startsWith("webp") ? webp(image) : written(image, format);
        if (format.equals("gif")) {
            colors = ImageIO.read(new ByteArrayInputStream(file)).getRGB(0, 0, 3, 2, null, 0, 3);
        }
        RasterImage rgb = SMALL.decode(file, format).toRgb();
        for (int i = 0; i < 6; i++) {
            assertThat((rgb.samples()[3 * i] & 0xff) << 16
                            | (rgb.samples()[3 * i + 1] & 0xff) << 8
                            | (rgb.samples()[3 * i + 2] & 0xff))
                    .isEqualTo(colors[i] & 0xffffff);
        }
    }

    private static List<byte[]> samples() throws IOException {
        List<byte[]> files = new ArrayList<>();
        for (String name : List.of("odd.png", "rgba.png", "palette.png", "exif6.jpg", "cmyk.jpg", "gray.jpg")) {
            files.add(Files.readAllBytes(Golden.resource("preprocess").file("files/" + name)));
        }
        BufferedImage image = new BufferedImage(20, 10, BufferedImage.TYPE_INT_RGB);
        image.setRGB(3, 4, 0xff8800);
        files.add(written(image, "gif"));
        files.add(written(image, "bmp"));
        files.add(webp(image));
        return files;
    }

    private static byte[] webp(BufferedImage image) throws IOException {
        javax.imageio.ImageWriter writer =
                ImageIO.getImageWritersByFormatName("webp").next();
        javax.imageio.ImageWriteParam settings = writer.getDefaultWriteParam();
        settings.setCompressionMode(javax.imageio.ImageWriteParam.MODE_EXPLICIT);
        settings.setCompressionType("Lossless");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (javax.imageio.stream.ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(null, new javax.imageio.IIOImage(image, null, null), settings);
        }
        return bytes.toByteArray();
    }

    private static byte[] written(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        assertThat(ImageIO.write(image, format, bytes)).isTrue();
        return bytes.toByteArray();
    }

    private static byte[] damage(byte[] file, RandomGenerator random) {
        byte[] damaged = random.nextInt(4) == 0 ? Arrays.copyOf(file, random.nextInt(file.length)) : file.clone();
        int early = Math.min(damaged.length, random.nextBoolean() ? 64 : damaged.length);
        for (int i = random.nextInt(4); i >= 0 && early > 0; i--) {
            damaged[random.nextInt(early)] = (byte) random.nextInt();
        }
        return damaged;
    }
}
