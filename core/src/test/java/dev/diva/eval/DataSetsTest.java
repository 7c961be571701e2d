package dev.diva.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataSetsTest {
    @TempDir
    Path folder;

    private void touch(String file) throws IOException {
        Path path = folder.resolve(file);
        Files.createDirectories(path.getParent());
        Files.write(path, new byte[] {1});
    }

    private static List<String> labels(ClassificationSet set) {
        List<String> read = new ArrayList<>();
        set.readLabels(image -> read.add(image.image().file().getFileName() + " " + image.labels()[0]));
        return read;
    }

    private List<String> captions(String file, String text, CaptionTable.Selection selection) throws IOException {
        Files.writeString(folder.resolve(file), text);
        List<String> read = new ArrayList<>();
        CaptionTable.read(folder.resolve(file), folder, selection)
                .readCaptions(image -> read.add(image.image().file().getFileName() + " " + image.captions()));
        return read;
    }

    @Test
    void treeOfNamedFoldersTakesTheClassOfTheName() throws IOException {
        touch("test/zebra/1.png");
        touch("test/ant/2.jpg");
        touch("test/ant/deep/3.webp");
        ClassificationSet set =
                ClassificationSet.open(folder, "test", new Wording(List.of("zebra", "ant"), List.of("a {c}")));
        assertThat(labels(set)).containsExactly("2.jpg 1", "3.webp 1", "1.png 0");
        assertThat(set.templates()).containsExactly("a {c}");
        ClassificationSet own = ClassificationSet.open(folder, "test", Wording.OWN);
        assertThat(own.classNames()).containsExactly("ant", "zebra");
        assertThat(own.templates()).containsExactly("a photo of a {c}.");
    }

    @Test
    void treeOfNumberedFoldersTakesTheNumber() throws IOException {
        touch("2/a.png");
        touch("10/b.png");
        List<String> names = java.util.stream.IntStream.range(0, 11)
                .mapToObj(i -> "class" + i)
                .toList();
        assertThat(labels(ClassificationSet.open(folder, "test", new Wording(names, List.of()))))
                .containsExactly("b.png 10", "a.png 2");
    }

    @Test
    void numberedFolderBeyondTheNamesIsNamed() throws IOException {
        touch("7/a.png");
        assertThatThrownBy(() -> ClassificationSet.open(folder, "test", new Wording(List.of("x", "y"), List.of())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("class index 7, expected 0..1");
    }

    @Test
    void otherNumberOfNamesThanFoldersIsAnError() throws IOException {
        touch("n01/a.png");
        touch("n02/a.png");
        assertThatThrownBy(() -> ClassificationSet.open(folder, "test", new Wording(List.of("x"), List.of())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("2 folders, but 1 class names");
    }

    @Test
    void templateWithoutSlotIsNamedWithItsLine() throws IOException {
        Path file = Files.writeString(folder.resolve("templates.txt"), "a {c}\na photo\n");
        assertThatThrownBy(() -> TextLines.templates(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("templates.txt line 2")
                .hasMessageContaining("no slot {c}");
        assertThatThrownBy(() -> new Wording(List.of(), List.of("a photo"))).isInstanceOf(BadInputException.class);
    }

    @Test
    void folderOfNeitherKindIsAnError() {
        assertThatThrownBy(() -> ClassificationSet.open(folder, "test", Wording.OWN))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("no folder per class");
    }

    @Test
    void cocoAnnotationsAreReadImageByImage() throws IOException {
        touch("a.jpg");
        touch("b.jpg");
        String json = """
                {"images":[{"id":7,"file_name":"b.jpg"},{"id":3,"file_name":"a.jpg"}],
                 "annotations":[{"image_id":3,"caption":"one"},{"image_id":7,"caption":"two "},{"image_id":3,"caption":"three"}]}""";
        assertThat(captions("c.json", json, CaptionTable.Selection.DEFAULT))
                .containsExactly("b.jpg [two]", "a.jpg [one, three]");
        assertThatThrownBy(() -> captions(
                        "d.json", json.replace("\"image_id\":7", "\"image_id\":8"), CaptionTable.Selection.DEFAULT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("annotation 1: no image of id 8");
    }

    @Test
    void karpathyFileGivesTheImagesOfItsSplit() throws IOException {
        touch("val2014/a.jpg");
        touch("val2014/b.jpg");
        String json = """
                {"images":[{"filename":"a.jpg","filepath":"val2014","split":"test","sentences":[{"raw":"one"},{"raw":"two"}]},
                 {"filename":"b.jpg","filepath":"val2014","split":"val","sentences":[{"raw":"three"}]}]}""";
        assertThat(captions("k.json", json, CaptionTable.Selection.DEFAULT)).containsExactly("a.jpg [one, two]");
        assertThat(captions("k.json", json, new CaptionTable.Selection("val", "image", "caption")))
                .containsExactly("b.jpg [three]");
    }

    @Test
    void tablesAreReadByTheNamesOfTheirColumns() throws IOException {
        touch("a.jpg");
        CaptionTable.Selection selection = new CaptionTable.Selection("test", "file", "text");
        assertThat(captions("t.csv", "id,text,file\n1,\"a dog, small\",a.jpg\n2,two,a.jpg\n", selection))
                .containsExactly("a.jpg [a dog, small, two]");
        assertThat(captions("t.tsv", "file\ttext\na.jpg\tone, two\n", selection))
                .containsExactly("a.jpg [one, two]");
    }

    @Test
    void wrongColumnsAreNamedWithTheRow() {
        assertThatThrownBy(() -> captions("t.csv", "file,text\na.jpg,one\n", CaptionTable.Selection.DEFAULT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("row 1: no column \"image\" among [file, text]");
        assertThatThrownBy(() -> captions("t.csv", "image,caption\na.jpg,one\nb.jpg\n", CaptionTable.Selection.DEFAULT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("row 3: 1 columns, the header has 2");
    }

    @Test
    void imageThatIsNotThereIsReportedAndLeftOut() throws IOException {
        touch("a.jpg");
        Files.writeString(folder.resolve("t.csv"), "image,caption\na.jpg,one\nb.jpg,two\n");
        CaptionTable table = CaptionTable.read(folder.resolve("t.csv"), folder, CaptionTable.Selection.DEFAULT);
        List<CaptionedImage> read = new ArrayList<>();
        table.readCaptions(read::add);
        assertThat(read).hasSize(1);
        assertThat(table.warnings()).singleElement().asString().contains("b.jpg: missing");
    }

    /** Cut between two samples, inside the image of one, and between the label and the image of one. */
    @ParameterizedTest
    @ValueSource(ints = {60 * 512, 62 * 512 + 520, 62 * 512})
    void truncatedTarGivesTheSamplesBeforeItsEndAndSaysSo(int length) throws IOException {
        Path golden = Golden.path("zeroshot/classification");
        Files.createDirectories(folder.resolve("test"));
        Files.copy(golden.resolve("classnames.txt"), folder.resolve("classnames.txt"));
        byte[] tar = Files.readAllBytes(golden.resolve("test/0.tar"));
        Files.write(folder.resolve("test/0.tar"), Arrays.copyOf(tar, length));
        Files.writeString(folder.resolve("test/nshards.txt"), "1");
        Webdataset set = new Webdataset(folder, "test");
        assertThat(labels(set)).hasSize(15);
        assertThat(set.warnings()).anyMatch(warning -> warning.contains("0.tar: the tar is truncated"));
        assertThat(labels(set)).as("a second reading loses the same").hasSize(15);
    }
}
