package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Files of kinds that Java's readers get wrong, and the order of the passes of a resize, against Pillow; bit for bit. */
@Tag("golden")
class PicturesTest {
    private static final String RIGHT = ".right.png";
    private static final String RESIZES = "resize-order.csv";

    static List<Path> pictures() throws IOException {
        try (Stream<Path> files = Files.list(Golden.path("pictures"))) {
            return files.filter(file -> Files.exists(Path.of(file + RIGHT)))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("pictures")
    void everyPictureHasThePixelsOfPillow(Path picture) throws IOException {
        RasterImage image = decode(picture);
        RasterImage right = decode(Path.of(picture + RIGHT));
        assertThat(List.of(image.width(), image.height())).isEqualTo(List.of(right.width(), right.height()));
        assertThat(image.samples()).isEqualTo(right.samples());
    }

    static List<String> resizes() throws IOException {
        Path cases = Golden.path("pictures").resolve(RESIZES);
        return Files.readAllLines(cases).stream().skip(1).toList();
    }

    @ParameterizedTest
    @MethodSource("resizes")
    void theFirstPassIsThatOfPillow(String row) {
        String[] cells = row.split(",");
        int[] n = IntStream.range(1, 9).map(i -> Integer.parseInt(cells[i])).toArray();
        RasterImage image = noise(ColorMode.valueOf(cells[0]), n[0], n[1]);
        Box box = new Box(n[3], n[2], n[5], n[4]);
        CRC32 sum = new CRC32();
        sum.update(Resampler.resize(image, box, n[6], n[7], Filter.valueOf(cells[9]))
                .samples());
        assertThat(sum.getValue()).isEqualTo(Long.parseLong(cells[10]));
    }

    @Test
    void theEndMarkerOfAThumbnailIsNotTheEndOfTheFile() throws IOException {
        byte[] file = Files.readAllBytes(Golden.resource("preprocess").file("files/gray.jpg"));
        byte[] thumbnail = {-1, (byte) 0xe1, 0, 6, -1, (byte) 0xd8, -1, (byte) 0xd9};
        byte[] cut = new byte[file.length / 2 + thumbnail.length];
        System.arraycopy(file, 0, cut, 0, 2);
        System.arraycopy(thumbnail, 0, cut, 2, thumbnail.length);
        System.arraycopy(file, 2, cut, 2 + thumbnail.length, file.length / 2 - 2);
        assertThatThrownBy(() -> ImageDecoder.reference().decode(cut, "cut.jpg"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("cut.jpg: the JPEG is truncated (no end marker)");
    }

    @Test
    void threadsDecodeTheSame() throws IOException {
        List<Path> pictures = pictures();
        List<byte[]> alone = pictures.stream()
                .map(PicturesTest::decode)
                .map(RasterImage::samples)
                .toList();
        IntStream.range(0, 8 * pictures.size()).parallel().forEach(i -> {
            int which = i % pictures.size();
            assertThat(Arrays.equals(decode(pictures.get(which)).samples(), alone.get(which)))
                    .isTrue();
        });
    }

    private static RasterImage decode(Path file) {
        try {
            return ImageDecoder.reference()
                    .decode(Files.readAllBytes(file), file.toString())
                    .toRgb();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static RasterImage noise(ColorMode mode, int width, int height) {
        byte[] samples = new byte[width * height * mode.channels()];
        int state = 1;
        for (int i = 0; i < samples.length; i++) {
            state = (state * 1103515245 + 12345) & 0x7fffffff;
            samples[i] = (byte) (state >> 16);
        }
        return RasterImage.of(mode, width, height, samples);
    }
}
