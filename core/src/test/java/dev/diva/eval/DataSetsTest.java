package dev.diva.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.data.DataFile;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataSetsTest {
    private static final String MARK = "\ufeff";

    @TempDir
    Path folder;

    private void touch(String file) throws IOException {
        Path path = folder.resolve(file);
        Files.createDirectories(path.getParent());
        Files.write(path, new byte[] {1});
    }

    private static List<String> labels(ClassificationSet set) {
        List<String> read = new ArrayList<>();
        set.readLabels(image -> read.add(image.image().file().path().getFileName() + " " + image.labels()[0]));
        return read;
    }

    private List<String> captions(String file, String text, CaptionTable.Selection selection) throws IOException {
        Files.writeString(folder.resolve(file), text);
        List<String> read = new ArrayList<>();
        CaptionTable.read(folder.resolve(file), folder, selection)
                .readCaptions(image -> read.add(image.image().file().path().getFileName() + " " + image.captions()));
        return read;
    }

    @Test
    void treeOfNamedFoldersTakesTheClassOfTheName() throws IOException {
        touch("test/zebra/1.png");
        touch("test/ant/2.jpg");
        touch("test/ant/deep/3.webp");
        ClassificationSet set = ClassificationSet.open(
                DataFile.of(folder), "test", new Wording(List.of("zebra", "ant"), List.of("a {c}")));
        assertThat(labels(set)).containsExactly("2.jpg 1", "3.webp 1", "1.png 0");
        assertThat(set.templates()).containsExactly("a {c}");
        ClassificationSet own = ClassificationSet.open(DataFile.of(folder), "test", Wording.OWN);
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
        assertThat(labels(ClassificationSet.open(DataFile.of(folder), "test", new Wording(names, List.of()))))
                .containsExactly("b.png 10", "a.png 2");
    }

    @Test
    void numberedFolderBeyondTheNamesIsNamed() throws IOException {
        touch("7/a.png");
        assertThatThrownBy(() ->
                        ClassificationSet.open(DataFile.of(folder), "test", new Wording(List.of("x", "y"), List.of())))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("class index 7, expected 0..1");
    }

    @Test
    void otherNumberOfNamesThanFoldersIsAnError() throws IOException {
        touch("n01/a.png");
        touch("n02/a.png");
        assertThatThrownBy(
                        () -> ClassificationSet.open(DataFile.of(folder), "test", new Wording(List.of("x"), List.of())))
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
        assertThatThrownBy(() -> ClassificationSet.open(DataFile.of(folder), "test", Wording.OWN))
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
        assertThat(table.warnings())
                .singleElement()
                .asString()
                .contains("1 of 2 images are missing")
                .contains("b.jpg");
    }

    @Test
    void whenNoImageIsThereTheFirstIsNamedWithTheirNumber() throws IOException {
        String json = """
                {"images":[{"filename":"0.jpg","filepath":"val2014","split":"test","sentences":[{"raw":"one"}]},
                 {"filename":"1.jpg","filepath":"val2014","split":"test","sentences":[{"raw":"two"}]}]}""";
        assertThatThrownBy(() -> captions("k.json", json, CaptionTable.Selection.DEFAULT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("val2014/0.jpg: missing")
                .hasMessageContaining("(2)");
    }

    /** What Excel puts first is no part of the first column's name; neither is it of a class, a template or a key. */
    @Test
    void byteOrderMarksAreNoContent() throws IOException {
        touch("a.jpg");
        assertThat(captions("t.csv", MARK + "image,caption\r\na.jpg,one\r\n", CaptionTable.Selection.DEFAULT))
                .containsExactly("a.jpg [one]");
        assertThat(captions(
                        "t.json", MARK + "[{\"image\":\"a.jpg\",\"caption\":\"one\"}]", CaptionTable.Selection.DEFAULT))
                .containsExactly("a.jpg [one]");
        assertThat(captions(
                        "t.jsonl", MARK + "{\"image\":\"a.jpg\",\"caption\":\"one\"}", CaptionTable.Selection.DEFAULT))
                .containsExactly("a.jpg [one]");
        assertThat(TextLines.classNames(Files.writeString(folder.resolve("names.txt"), MARK + "cat\r\ndog\r\n")))
                .containsExactly("cat", "dog");
        assertThat(TextLines.templates(Files.writeString(folder.resolve("templates.txt"), MARK + "a {c}")))
                .containsExactly("a {c}");
    }

    @Test
    void textThatIsNotUtf8IsNamedWithItsRow() throws IOException {
        Path file = Files.write(folder.resolve("names.txt"), new byte[] {'c', 'a', 't', '\n', 'd', (byte) 0x92, 'g'});
        assertThatThrownBy(() -> TextLines.classNames(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("names.txt row 2: not UTF-8");
    }

    @Test
    void emptyLineBetweenClassNamesIsNamedAndThoseAtTheEndAreNot() throws IOException {
        Path file = Files.writeString(folder.resolve("names.txt"), "cat\n\ndog\n\n\n");
        assertThatThrownBy(() -> TextLines.classNames(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("names.txt line 2: empty");
        Files.writeString(file, "cat\ndog\n\n");
        assertThat(TextLines.classNames(file)).containsExactly("cat", "dog");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a {c:>9} photo", "a {} photo", "a {c!r}", "{c} {0}", "{{c}}"})
    void templateWithAFormatIsAnError(String template) {
        assertThatThrownBy(() -> new Wording(List.of(), List.of(template)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("the only slot is {c}");
    }

    @Test
    void missingFilesNameTheOptionThatReplacesThem() throws IOException {
        touch("test/0.tar");
        Files.writeString(folder.resolve("test/nshards.txt"), "1");
        Webdataset set = new Webdataset(DataFile.of(folder), "test");
        assertThatThrownBy(set::templates)
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("zeroshot_classification_templates.txt: missing")
                .hasMessageContaining("--template");
        assertThatThrownBy(set::classNames).hasMessageContaining("missing").hasMessageContaining("--classnames");
        assertThatThrownBy(() -> new Webdataset(DataFile.of(folder), "val").readCaptions(image -> {}))
                .hasMessageContaining("nshards.txt: missing")
                .hasMessageContaining("--split");
    }

    /** As ALBEF, BLIP and LAVIS ship them: one caption or several an entry, a list or an entry a line. */
    @Test
    void listsOfEntriesAreRead() throws IOException {
        touch("val2014/a.jpg");
        touch("b.jpg");
        String first = "{\"image\": \"val2014/a.jpg\", \"caption\": [\"one \", \"two\"]}";
        String second = "{\"image\": \"b.jpg\", \"caption\": \"three\", \"image_id\": \"7\"}";
        String[] right = {"a.jpg [one, two]", "b.jpg [three]"};
        CaptionTable.Selection selection = CaptionTable.Selection.DEFAULT;
        assertThat(captions("l.json", "[" + first + ", " + second + "]", selection))
                .containsExactly(right);
        assertThat(captions("l.jsonl", first + "\n\n" + second + "\n", selection))
                .containsExactly(right);
        assertThat(captions("m.json", first + "\n" + second + "\n", selection))
                .as("lines by another name")
                .containsExactly(right);
        assertThatThrownBy(() -> captions("l.jsonl", first + "\n{\"image\": \"b.jpg\"}", selection))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("row 2: no \"caption\" among [image]; name it with --caption-column");
        assertThatThrownBy(() -> captions("l.jsonl", first + "\n{\"image\": ", selection))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("row 2: not JSON");
    }

    /** With the one row of the published file that lacks its second bar. */
    @Test
    void aTokenFileOfFlickrNamesImageAndNumberBeforeATab() throws IOException {
        touch("1.jpg");
        touch("2.jpg");
        String file = "1.jpg#0\tA cat .\n1.jpg#1\tA dog #2 .\n2.jpg#0\tTwo, \"three\" .\n";
        assertThat(captions("results.token", file, CaptionTable.Selection.DEFAULT))
                .isEqualTo(captions(
                        "same.csv",
                        "image,caption\n1.jpg,A cat .\n1.jpg,A dog #2 .\n2.jpg,\"Two, \"\"three\"\" .\"\n",
                        CaptionTable.Selection.DEFAULT));
        assertThatThrownBy(() -> captions("results.token", file + "3.jpg A cat\n", CaptionTable.Selection.DEFAULT))
                .hasMessageContaining("row 4")
                .hasMessageContaining("a tab");
    }

    @Test
    void barsOfFlickr30kSeparateColumns() throws IOException {
        touch("1.jpg");
        touch("2.jpg");
        String table = """
                image_name| comment_number| comment
                1.jpg| 0| Two "young" guys , outside .
                1.jpg| 1| A | B
                2.jpg| 4   A dog runs .
                """;
        assertThat(captions("results.csv", table, CaptionTable.Selection.DEFAULT))
                .containsExactly("1.jpg [Two \"young\" guys , outside ., A | B]", "2.jpg [A dog runs .]");
        assertThatThrownBy(() -> captions("results.csv", table + "3.jpg\n", CaptionTable.Selection.DEFAULT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("row 5");
    }

    @Test
    void brokenLinksAndHiddenFoldersAreNoClasses() throws IOException {
        touch("cat/1.png");
        touch(".cache/1.png");
        Files.createSymbolicLink(folder.resolve("dog"), folder.resolve("nowhere"));
        ClassificationSet set = ClassificationSet.open(DataFile.of(folder), "test", Wording.OWN);
        assertThat(set.classNames()).containsExactly("cat");
        assertThat(set.warnings()).singleElement().asString().contains("dog: leads nowhere");
    }

    /** Cut between two samples, inside the image of one, and between the label and the image of one. */
    @ParameterizedTest
    @Tag("golden")
    @ValueSource(ints = {60 * 512, 62 * 512 + 520, 62 * 512})
    void truncatedTarGivesTheSamplesBeforeItsEndAndSaysSo(int length) throws IOException {
        Path golden = Golden.path("zeroshot/classification");
        Files.createDirectories(folder.resolve("test"));
        Files.copy(golden.resolve("classnames.txt"), folder.resolve("classnames.txt"));
        byte[] tar = Files.readAllBytes(golden.resolve("test/0.tar"));
        Files.write(folder.resolve("test/0.tar"), Arrays.copyOf(tar, length));
        Files.writeString(folder.resolve("test/nshards.txt"), "1");
        Webdataset set = new Webdataset(DataFile.of(folder), "test");
        assertThat(labels(set)).hasSize(15);
        assertThat(set.warnings()).anyMatch(warning -> warning.contains("0.tar: the tar is truncated"));
        assertThat(labels(set)).as("a second reading loses the same").hasSize(15);
    }
}
