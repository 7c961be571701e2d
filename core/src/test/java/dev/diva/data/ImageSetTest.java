package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files are taken for images, and what is told of the rest. */
class ImageSetTest {
    private final List<DataProblem> problems = new ArrayList<>();

    @TempDir
    Path folder;

    @BeforeEach
    void twoFoldersOfTwo() throws IOException {
        for (String name : List.of("real/a/0.png", "real/a/1.png", "real/b/0.png", "real/b/1.png")) {
            write(name);
        }
    }

    private Path write(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, name); // nothing is decoded here
    }

    private ImageSet open(String... patterns) {
        return ImageSet.open(
                List.of(patterns).stream()
                        .map(pattern -> folder + "/" + pattern)
                        .toList(),
                problems::add);
    }

    private List<String> names(ImageSet set) {
        return set.entries().stream()
                .map(entry -> entry.name().substring(folder.toString().length() + 1))
                .toList();
    }

    private void link(String name, String target) throws IOException {
        Path link = folder.resolve(name);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, Path.of(target));
    }

    @Test
    void linkedFoldersCount() throws IOException {
        write("set/c/0.png");
        link("set/a", "../real/a");
        link("set/b", "../real/b");
        link("top", "real");
        assertThat(names(open("set")))
                .containsExactly("set/a/0.png", "set/a/1.png", "set/b/0.png", "set/b/1.png", "set/c/0.png");
        assertThat(open("top").size()).isEqualTo(4);
        assertThat(open("s*").size()).isEqualTo(5);
        assertThat(names(open("set/*/0.png"))).containsExactly("set/a/0.png", "set/b/0.png", "set/c/0.png");
        assertThat(problems).isEmpty();
    }

    @Test
    void linksBackAndLinksToNothingAreTold() throws IOException {
        link("real/a/up", "..");
        link("real/b/above", folder.toString());
        link("real/b/gone.png", "nowhere.png");
        write("x/0.png");
        write("y/0.png");
        link("x/y", "../y");
        link("y/x", "../x"); // each in the other
        assertThat(open("real").size()).isEqualTo(4);
        assertThat(problems.stream().map(DataProblem::toString).toList())
                .containsExactlyInAnyOrder(
                        folder + "/real/a/up: a link back to "
                                + folder.resolve("real").toRealPath() + ", not followed again",
                        folder + "/real/b/above: a link back to " + folder.toRealPath() + ", not followed again",
                        folder + "/real/b/gone.png: a link to nowhere.png, which is not there");
        problems.clear();
        assertThat(names(open("x"))).containsExactly("x/0.png", "x/y/0.png");
        assertThat(problems).hasSize(1);
    }

    @Test
    void otherSuffixesAreCountedAndHiddenNamesLeftOut() throws IOException {
        for (String name : List.of("0.xyz", "1.XYZ", "2.psd", "README", ".hidden/0.png", "__MACOSX/0.png", "._0.png")) {
            write("set/" + name);
        }
        write("set/0.png");
        ImageSet set = open("set");
        assertThat(names(set)).containsExactly("set/0.png");
        assertThat(set.notRead()).isEqualTo(Map.of("xyz", 2, "psd", 1, "", 1));
        assertThat(set.notReadWords()).isEqualTo("4 files not read: 1 without a suffix, 1 psd, 2 xyz");
        assertThat(names(open("set/.hidden"))).containsExactly("set/.hidden/0.png"); // asked for by name
    }

    @Test
    void aNameThatExistsIsThatFile() throws IOException {
        for (String name : List.of("IMG [1].png", "{a,b}.png", "x{0..3}.png", "why?.png", "st*r [2]/0.png")) {
            write(name);
            assertThat(names(open(name))).containsExactly(name);
        }
        write("st*r [2]/1.png");
        assertThat(names(open("st*r [2]/*.png"))).containsExactly("st*r [2]/0.png", "st*r [2]/1.png");
        assertThat(names(open("st*r [2]/{0,1}.png"))).containsExactly("st*r [2]/0.png", "st*r [2]/1.png");
        assertThat(open("real/{a,b}/?.png").size()).isEqualTo(4);
        assertThat(open("real/*").size()).isEqualTo(4);
        assertThat(open("real/**").size()).isEqualTo(4);
    }

    @Test
    void packedAndJoinedTarsAreRead() throws IOException {
        tar("0.tar", "a.png", "a.txt");
        tar("1.tar.gz", "b.png", "._b.png");
        tar("2.tgz", "c.png");
        ImageSet joined = open("0.tar::" + folder + "/1.tar.gz", "2.tgz");
        assertThat(names(joined)).containsExactly("0.tar!a.png", "1.tar.gz!b.png", "2.tgz!c.png");
        assertThat(joined.entries().get(1).read()).isEqualTo("b.png".getBytes(StandardCharsets.UTF_8));
        assertThat(joined.entries().get(1).file()).isEqualTo(DataFile.of(folder.resolve("1.tar.gz")));
        assertThat(joined.notRead()).isEqualTo(Map.of("txt", 1));
        assertThat(open("").size()).isEqualTo(4 + 3);
        assertThat(problems).isEmpty();
    }

    /** As GNU tar writes them: a hard link names a member, a symbolic one a path from its folder; no link leads out of the tar. */
    @Test
    void linksInsideATarAreReadOrTold() throws IOException {
        Path file = folder.resolve("links.tar");
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(Files.newOutputStream(file))) {
            symbolic(tar, "b/early.png", "../a/0.png");
            TarArchiveEntry entry = new TarArchiveEntry("a/0.png");
            entry.setSize(1);
            tar.putArchiveEntry(entry);
            tar.write('x');
            tar.closeArchiveEntry();
            TarArchiveEntry hard = new TarArchiveEntry("c/hard.png", TarArchiveEntry.LF_LINK);
            hard.setLinkName("a/0.png");
            tar.putArchiveEntry(hard);
            tar.closeArchiveEntry();
            symbolic(tar, "c/second.png", "hard.png");
            symbolic(tar, "c/loop.png", "loop.png");
            symbolic(tar, "c/out.png", "/etc/hostname");
        }
        ImageSet set = open("links.tar");
        assertThat(names(set))
                .containsExactly(
                        "links.tar!b/early.png", "links.tar!a/0.png", "links.tar!c/hard.png", "links.tar!c/second.png");
        for (int i = 0; i < set.size(); i++) {
            assertThat(set.entries().get(i).read()).containsExactly('x');
        }
        assertThat(problems).hasSize(2);
        assertThat(problems.get(0).toString()).contains("c/loop.png", "no file of the tar");
        assertThat(problems.get(1).toString()).contains("c/out.png", "a link to /etc/hostname");
    }

    private static void symbolic(TarArchiveOutputStream tar, String name, String target) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name, TarArchiveEntry.LF_SYMLINK);
        entry.setLinkName(target);
        tar.putArchiveEntry(entry);
        tar.closeArchiveEntry();
    }

    @Test
    void aCutGzipFileGivesWhatIsBeforeTheCut() throws IOException {
        Path whole = tar("0.tar.gz", "a.png");
        byte[] bytes = Files.readAllBytes(whole);
        Files.write(whole, java.util.Arrays.copyOf(bytes, bytes.length - 6));
        assertThat(open("0.tar.gz").size()).isEqualTo(1);
        assertThat(problems).hasSize(1);
        assertThat(problems.get(0).toString()).contains("0.tar.gz", "damaged or cut");
    }

    @Test
    void theReasonIsInTheLineWhenNothingIsLeft() throws IOException {
        tar("none.tar");
        assertReason("none.tar", "holds no files");
        Files.write(folder.resolve("zeros.tar"), new byte[10240]);
        assertReason("zeros.tar", "holds no files");
        Files.write(folder.resolve("empty.tar"), new byte[0]);
        assertReason("empty.tar", "the tar is empty");
        Files.move(tar("x.tar.gz", "a.png"), folder.resolve("packed.tar"));
        assertReason("packed.tar", "is a gzip file; name it .tar.gz");
        write("false.tgz");
        assertReason("false.tgz", "is no gzip file");
        write("other/0.xyz");
        link("linked", "other");
        assertReason("linked", "1 file not read: 1 xyz");
        assertReason("linked", "a link to " + folder.resolve("other").toRealPath());
    }

    private void assertReason(String pattern, String reason) {
        assertThatThrownBy(() -> open(pattern))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(pattern)
                .hasMessageContaining(reason);
    }

    private Path tar(String name, String... members) throws IOException {
        Path file = folder.resolve(name);
        try (OutputStream plain = Files.newOutputStream(file);
                OutputStream out = name.endsWith("gz") ? new GZIPOutputStream(plain) : plain;
                TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            for (String member : members) {
                TarArchiveEntry entry = new TarArchiveEntry(member);
                entry.setSize(member.length());
                tar.putArchiveEntry(entry);
                tar.write(member.getBytes(StandardCharsets.UTF_8));
                tar.closeArchiveEntry();
            }
        }
        return file;
    }
}
