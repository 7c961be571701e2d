package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageLoaderTest {
    @TempDir
    private Path folder;

    private final List<DataProblem> problems = new ArrayList<>();

    @BeforeEach
    void writeImages() throws IOException {
        for (int i = 0; i < 12; i++) {
            Files.write(folder.resolve(String.format("%02d.png", i)), png(i));
        }
        Files.write(folder.resolve("05.png"), new byte[0]);
        Files.writeString(folder.resolve("notes.txt"), "no image");
    }

    @Test
    void everyImageComesOnceInAnEpochAndTheBadOneIsNamed() {
        List<Integer> seen = values(workers(1), 24);
        assertThat(new HashSet<>(seen.subList(0, 12))).hasSize(11).doesNotContain(5);
        assertThat(seen.subList(0, 12)).isNotEqualTo(seen.subList(12, 24));
        assertThat(problems)
                .allSatisfy(problem -> assertThat(problem.toString()).contains("05.png: the file is empty"));
    }

    @Test
    void orderIsTheSameForAnyNumberOfWorkersAndAfterResume() {
        List<Integer> whole = values(workers(1), 30);
        assertThat(values(workers(4), 30)).isEqualTo(whole);
        long position;
        List<Integer> parts = new ArrayList<>();
        try (ImageLoader<Integer> loader = loader(workers(2))) {
            for (int i = 0; i < 13; i++) {
                parts.add(loader.next().value());
            }
            position = loader.position();
        }
        parts.addAll(values(workers(3).from(position), 17));
        assertThat(parts).isEqualTo(whole);
    }

    @Test
    void badImageIsReplacedByTheNextReadableOneAndNothingElseMoves() {
        SampleOrder order = new SampleOrder(12, 3, true);
        List<Integer> seen = values(workers(2), 12);
        for (int position = 0; position < 12; position++) {
            int wanted = order.index(position) == 5 ? order.index(position + 1) : order.index(position);
            assertThat(seen.get(position)).isEqualTo(wanted);
        }
    }

    @Test
    void foldersWithoutAReadableImageEndInsteadOfLooping() throws IOException {
        for (int i = 0; i < 12; i++) {
            Files.writeString(folder.resolve(String.format("%02d.png", i)), "text");
        }
        assertThatThrownBy(() -> values(workers(2), 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("none of 12 images");
    }

    @Test
    void withoutShuffleTheSortedOrderRepeats() {
        SampleOrder order = new SampleOrder(3, 9, false);
        assertThat(new int[] {order.index(0), order.index(1), order.index(2), order.index(3)})
                .containsExactly(0, 1, 2, 0);
    }

    @Test
    void tarsAreReadToTheirDamageAndSamplesGrouped() throws IOException {
        Path tar = folder.resolve("shards/0000.tar");
        Files.createDirectories(tar.getParent());
        byte[] bytes = tar("../a.png", "../a.cls", "b/c.d.PNG", "b/c.txt", "x.png", "x.png", "last.png", "last.cls");
        Files.write(tar, bytes);
        List<TarSample> samples = TarSample.read(DataFile.of(tar), problems::add);
        assertThat(samples).extracting(TarSample::key).containsExactly("../a", "b/c", "last");
        assertThat(samples.get(1).files()).containsOnlyKeys("d.png", "txt");
        assertThat(problems).singleElement().asString().contains("twice");
        assertThat(SMALL_DECODER.decode(samples.get(0).image().read(), "a").samples()[0])
                .isEqualTo((byte) 0);

        Path cut = folder.resolve("shards/0001.tar");
        Files.write(cut, Arrays.copyOf(bytes, 6 * 1024 + 540));
        problems.clear();
        ImageSet both = ImageSet.open(List.of(folder + "/shards/{0000..0001}.tar"), problems::add);
        assertThat(both.entries()).extracting(ImageEntry::name).contains(tar + "!x.png", cut + "!x.png");
        assertThat(both.size()).isEqualTo(5 + 4);
        assertThat(problems)
                .anySatisfy(problem -> assertThat(problem.toString()).contains("0001.tar"));
    }

    @Test
    void patternsThatFitNothingAreRefusedByName() {
        assertThatThrownBy(() -> ImageSet.open(List.of(folder + "/*.tar"), problems::add))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("*.tar: no file fits");
        assertThat(PathPattern.braces("a-{08..10}.{x,y}"))
                .containsExactly("a-08.x", "a-08.y", "a-09.x", "a-09.y", "a-10.x", "a-10.y");
    }

    private static final ImageDecoder SMALL_DECODER = ImageDecoder.reference();

    private static ImageLoader.Settings workers(int workers) {
        return ImageLoader.Settings.of(workers, 5);
    }

    private List<Integer> values(ImageLoader.Settings settings, int count) {
        List<Integer> values = new ArrayList<>();
        try (ImageLoader<Integer> loader = loader(settings)) {
            for (int i = 0; i < count; i++) {
                values.add(loader.next().value());
            }
        }
        return values;
    }

    private ImageLoader<Integer> loader(ImageLoader.Settings settings) {
        ImageSet images = ImageSet.open(List.of(folder.toString()), problems::add);
        SampleOrder order = new SampleOrder(images.size(), 3, true);
        return new ImageLoader<>(images, order, settings, (image, draw) -> image.samples()[0] & 0xff, problems::add);
    }

    private static byte[] png(int value) throws IOException {
        BufferedImage image = new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, value << 16);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(image, "png", bytes);
        return bytes.toByteArray();
    }

    private static byte[] tar(String... names) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(bytes)) {
            for (String name : names) {
                byte[] content = name.toLowerCase(java.util.Locale.ROOT).endsWith("png")
                        ? png(0)
                        : "7".getBytes(StandardCharsets.UTF_8);
                TarArchiveEntry entry = new TarArchiveEntry(name, true);
                entry.setSize(content.length);
                out.putArchiveEntry(entry);
                out.write(content);
                out.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }
}
