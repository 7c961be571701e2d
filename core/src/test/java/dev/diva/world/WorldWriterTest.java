package dev.diva.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.CaptionParser;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.ScenePair;
import dev.diva.world.scene.ScenePairs;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small world on disk. */
class WorldWriterTest {
    private static final WorldRecipe SMALL = new WorldRecipe(9, 48, 20, 10, 50, 2, 30, 0.03);

    @TempDir
    static Path world;

    @BeforeAll
    static void write() {
        new WorldWriter(SMALL).write(world, part -> {});
    }

    private static List<CSVRecord> rows(Path file) throws IOException {
        try (CSVParser parser = CSVFormat.DEFAULT
                .builder()
                .setHeader()
                .setSkipHeaderRecord(true)
                .get()
                .parse(Files.newBufferedReader(file))) {
            return parser.getRecords();
        }
    }

    private static List<String> names(Path tar) throws IOException {
        List<String> names = new ArrayList<>();
        try (TarArchiveInputStream in = new TarArchiveInputStream(Files.newInputStream(tar))) {
            for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                names.add(entry.getName());
            }
        }
        return names;
    }

    @Test
    void captionedSamplesHoldImageWebAndFullCaption() throws IOException {
        Path tar = world.resolve("pretrain/00000.tar");
        assertThat(names(tar)).hasSize(60).startsWith("00000000.json", "00000000.png", "00000000.txt");
        Scene first = new SceneSampler(9, Split.PRETRAIN).scene(0);
        try (TarArchiveInputStream in = new TarArchiveInputStream(Files.newInputStream(tar))) {
            in.getNextEntry();
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).contains(Captions.full(first));
            in.getNextEntry();
            assertSame(ImageIO.read(in), new SceneRenderer(48).render(first));
            in.getNextEntry();
            String web = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(Captions.gist(CaptionParser.parse(web))).isEqualTo(Captions.gist(first));
        }
    }

    @Test
    void imagesForPostTrainingHaveNoCaptions() throws IOException {
        assertThat(names(world.resolve("posttrain/00000.tar"))).hasSize(10).allMatch(name -> name.endsWith(".png"));
    }

    @Test
    void retrievalCaptionsAreAllDifferent() throws IOException {
        List<CSVRecord> rows = rows(world.resolve("retrieval/captions.csv"));
        assertThat(rows.stream().map(row -> row.get("caption"))).hasSize(50).doesNotHaveDuplicates();
        assertThat(rows).allMatch(row -> Files.exists(world.resolve("retrieval").resolve(row.get("image"))));
    }

    @Test
    void pairsAreAnMmvpFolder() throws IOException {
        List<CSVRecord> rows = rows(world.resolve("test/Questions.csv"));
        List<ScenePair> pairs = new ScenePairs(new SceneSampler(9, Split.TEST)).pairs(2);
        assertThat(rows).hasSize(36);
        for (int i = 0; i < rows.size(); i++) {
            ScenePair pair = pairs.get(i / 2);
            CSVRecord row = rows.get(i);
            assertThat(row.get("Question ID")).isEqualTo(Integer.toString(i + 1));
            assertThat(row.get("Type")).isEqualTo(pair.pattern().title());
            assertThat(row.get("Statement")).isEqualTo(i % 2 == 0 ? pair.firstStatement() : pair.secondStatement());
            Path image = world.resolve("test/MLLM_VLM_Images")
                    .resolve(row.get("Type"))
                    .resolve((i + 1) + ".jpg");
            BufferedImage painted = new SceneRenderer(48).render(i % 2 == 0 ? pair.first() : pair.second());
            assertNear(ImageIO.read(image.toFile()), painted);
        }
    }

    @Test
    void validationAndTestShareNoScene() throws IOException {
        byte[] validation = Files.readAllBytes(world.resolve("validation/Questions.csv"));
        assertThat(validation).isNotEqualTo(Files.readAllBytes(world.resolve("test/Questions.csv")));
    }

    @Test
    void labelsAgreeWithTheCaption() throws IOException {
        List<CSVRecord> rows = rows(world.resolve("probe-train/labels.csv"));
        assertThat(rows).hasSize(30);
        assertThat(rows(world.resolve("probe-test/labels.csv"))).hasSize(15);
        for (CSVRecord row : rows) {
            Scene told = CaptionParser.parse(row.get("caption"));
            long answers = 0;
            for (ProbeQuestion question : ProbeQuestion.all()) {
                String label = row.get(question.column());
                answers += label.isEmpty() ? 0 : 1;
                assertThat(label.isEmpty()).isEqualTo(question.answer(told).isEmpty());
                assertThat(row.get("caption")).contains(label);
            }
            assertThat(answers).isEqualTo(told.facets().size());
        }
    }

    @Test
    void sameRecipeGivesSameFiles(@TempDir Path again) throws IOException {
        new WorldWriter(SMALL).write(again, part -> {});
        try (Stream<Path> files = Files.walk(world)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(again.resolve(world.relativize(file).toString())).hasSameBinaryContentAs(file);
            }
        }
    }

    @Test
    void folderThatCannotBeWrittenIsNamed(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("scenes.txt"), "a file");
        assertThatThrownBy(() -> new WorldWriter(SMALL).write(file.resolve("world"), part -> {}))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("scenes.txt");
    }

    @Test
    void folderThatHoldsAnythingElseIsRefusedAndKept(@TempDir Path folder) throws IOException {
        Path mine = Files.createDirectories(folder.resolve("posttrain")).resolve("00001.tar");
        Files.writeString(mine, "mine");
        assertThatThrownBy(() -> new WorldWriter(new WorldRecipe(1, 48, 0, 3, 0, 0, 0, 0.03)).write(folder, part -> {}))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("exists already");
        assertThat(mine).hasContent("mine");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).hasSize(1);
        }
    }

    @Test
    void interruptedWorldIsMadeAgain(@TempDir Path folder) throws IOException {
        WorldRecipe tiny = new WorldRecipe(1, 48, 0, 3, 0, 0, 0, 0.03);
        assertThatThrownBy(() -> new WorldWriter(tiny).write(folder, part -> {
                    throw new IllegalStateException("interrupted");
                }))
                .hasMessage("interrupted");
        assertThat(new WorldWriter(tiny).isIn(folder)).isFalse();
        new WorldWriter(tiny).write(folder, part -> {});
        assertThat(new WorldWriter(tiny).isIn(folder)).isTrue();
        assertThat(names(folder.resolve("posttrain/00000.tar"))).hasSize(3);
    }

    @Test
    void wholeWorldIsKnownAgain(@TempDir Path empty) {
        assertThat(new WorldWriter(SMALL).isIn(world)).isTrue();
        assertThat(new WorldWriter(SMALL.withSeed(10)).isIn(world)).isFalse();
        assertThat(new WorldWriter(SMALL).isIn(empty)).isFalse();
    }

    @Test
    void moreGistsThanThereAreAreRefused() {
        assertThatThrownBy(() -> new WorldRecipe(1, 48, 0, 0, 600, 0, 0, 0.03))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("546");
    }

    private static void assertSame(BufferedImage actual, BufferedImage expected) {
        assertThat(actual.getRGB(0, 0, 48, 48, null, 0, 48)).isEqualTo(expected.getRGB(0, 0, 48, 48, null, 0, 48));
    }

    /** JPEG keeps the mean within 2 of 255 and every value within 40. */
    private static void assertNear(BufferedImage actual, BufferedImage expected) {
        int[] errors = new int[3 * 48 * 48];
        for (int i = 0; i < errors.length; i++) {
            int shift = 8 * (i % 3);
            int x = i / 3 % 48;
            int y = i / 3 / 48;
            errors[i] = Math.abs((actual.getRGB(x, y) >> shift & 255) - (expected.getRGB(x, y) >> shift & 255));
        }
        assertThat(Arrays.stream(errors).average().orElseThrow()).isLessThan(2);
        assertThat(Arrays.stream(errors).max().orElseThrow()).isLessThan(40);
    }
}
