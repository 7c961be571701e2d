package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.hub.MissingFileException;
import dev.diva.hub.RemoteFiles;
import dev.diva.hub.RemoteSource;
import dev.diva.testing.DataServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files behind addresses give what the same files give here. */
class RemoteImagesTest {
    @TempDir
    private Path folder;

    private final DataServer server = new DataServer();
    private final List<DataProblem> problems = new ArrayList<>();

    @BeforeEach
    void serve() throws IOException {
        Path files = Files.createDirectory(folder.resolve("files"));
        for (int i = 0; i < 2; i++) {
            Files.write(files.resolve(i + ".tar"), tar(i, 20_000));
        }
        Files.write(files.resolve("large.tar"), tar(2, 30 << 20));
        Files.write(files.resolve("cut.tar"), java.util.Arrays.copyOf(tar(3, 2000), 4000));
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(files.resolve("packed.tar.gz")))) {
            out.write(tar(4, 900));
        }
        Files.write(files.resolve("cat.jpg"), new byte[] {1, 2, 3});
        server.with(files);
        RemoteFiles.use(folder.resolve("cache"), 200_000_000);
    }

    @AfterEach
    void stop() {
        server.close();
        RemoteFiles.others(null);
        RemoteFiles.use(RemoteFiles.defaultFolder(), RemoteFiles.DEFAULT_BYTES);
    }

    private static byte[] tar(int seed, int size) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(bytes)) {
            Random random = new Random(seed);
            for (String name : List.of("0.jpg", "0.txt", "sub/1.png")) {
                byte[] content = new byte[random.nextInt(size / 2, size)];
                random.nextBytes(content);
                TarArchiveEntry entry = new TarArchiveEntry(seed + name);
                entry.setSize(content.length);
                out.putArchiveEntry(entry);
                out.write(content);
                out.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    private ImageSet open(String... patterns) {
        return ImageSet.open(List.of(patterns), problems::add);
    }

    private void requireSame(String... patterns) {
        ImageSet remote = open(List.of(patterns).stream()
                .map(pattern -> pattern.replace("@", server.at("localhost")))
                .toArray(String[]::new));
        List<DataProblem> ofRemote = List.copyOf(problems);
        problems.clear();
        String place = folder.resolve("files").toString();
        ImageSet here = open(List.of(patterns).stream()
                .map(pattern -> pattern.replace("@", place))
                .toArray(String[]::new));
        assertThat(remote.size()).isEqualTo(here.size()).isPositive();
        assertThat(remote.notRead()).isEqualTo(here.notRead());
        for (int i = 0; i < here.size(); i++) {
            assertThat(remote.name(i)).isEqualTo(here.name(i).replace(place, server.at("localhost")));
            assertThat(remote.entries().get(i).read())
                    .isEqualTo(here.entries().get(i).read());
        }
        assertThat(ofRemote.toString()).isEqualTo(problems.toString().replace(place, server.at("localhost")));
    }

    @Test
    void samplesAreThoseOfTheFilesHere() {
        requireSame("@/{0..1}.tar");
        requireSame("@/1.tar::@/cat.jpg::@/packed.tar.gz", "@/0.tar");
        requireSame("@/cut.tar");
        assertThat(problems).isNotEmpty();
    }

    @Test
    void aTarIsGoneThroughOnceAndLargeMembersAreSteppedOver() {
        String address = server.address("large.tar");
        assertThat(open(address).size()).isEqualTo(2);
        long asked = server.requests("large.tar").size();
        long blocks = 1
                + server.requests.stream()
                        .filter(line -> line.contains("8388607"))
                        .count();
        assertThat(asked).isLessThan(1 + 3 + blocks); // headers lie in few of the blocks
        RemoteFiles.use(folder.resolve("cache"), 200_000_001); // as another process
        assertThat(open(address).name(1)).isEqualTo(address + "!2sub/1.png");
        assertThat(server.requests("large.tar")).hasSize((int) asked + 1);
    }

    @Test
    void signaturesAreNotInNames() {
        ImageSet images = open(server.address("0.tar") + "?X-Amz-Signature=hidden");
        assertThat(images.name(0)).isEqualTo(server.address("0.tar") + "!00.jpg");
        assertThat(images.entries().get(0).read()).hasSizeGreaterThan(1000);
        assertThat(ImageEntry.named(images.name(0)).read())
                .isEqualTo(images.entries().get(0).read());
    }

    @Test
    void whatCannotBeReadIsTold() {
        assertThatThrownBy(() -> open(server.address("{0..2}.tar")))
                .isInstanceOf(BadInputException.class)
                .hasMessage(server.address("2.tar") + ": no such file on the server (404)");
        assertThatThrownBy(() -> open(server.address("*.tar")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("a web server does not tell what files it has; name them by {0000..0575}");
        assertThatThrownBy(() -> open(server.address("set/")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("a web server does not tell what files it has");
        assertThatThrownBy(() -> open("hdfs://namenode/0.tar"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("hdfs://namenode/0.tar: what is read is http://, https:// and s3://");
        assertThat(PathPattern.below(Path.of("/w"), "a.tar::/b.tar::s3://b/{0..1}.tar::http://[::1]/a.tar"))
                .isEqualTo("/w/a.tar::/b.tar::s3://b/{0..1}.tar::http://[::1]/a.tar");
    }

    /** Where a store tells what it has, globs and folders mean what they mean here. */
    @Test
    void globsAndFoldersOfAStoreAreThoseOfTheFilesHere() throws IOException {
        for (String name :
                List.of("sub/b.jpg", "sub/.hidden.jpg", "sub/.git/c.jpg", "sub-2.jpg", "note.txt", "[1].jpg")) {
            Path file = folder.resolve("files").resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, name);
        }
        RemoteFiles.others(new FolderSource(folder.resolve("files")));
        for (String pattern : List.of(
                "*.tar", "{0,1}.tar", "[01].tar", "**.jpg", "sub*", "?ub/*", "[1].jpg", "*", "*/*", "sub/.h*")) {
            requireSameNames("store://x/" + pattern, folder + "/files/" + pattern);
        }
        requireSameNames("store://x/", folder + "/files");
        requireSameNames("store://x/sub/", folder + "/files/sub");
        assertThatThrownBy(() -> open("store://x/*.zip"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("store://x/*.zip: no file fits");
    }

    private void requireSameNames(String remote, String local) {
        ImageSet there = open(remote);
        ImageSet here = open(local);
        String place = folder + "/files/";
        assertThat(there.entries().stream().map(ImageEntry::name))
                .as(remote)
                .containsExactlyElementsOf(here.entries().stream()
                        .map(entry -> entry.name().replace(place, "store://x/"))
                        .toList());
        assertThat(there.notRead()).isEqualTo(here.notRead());
        assertThat(there.entries().get(0).read())
                .isEqualTo(here.entries().get(0).read());
    }

    /** A folder as a store that tells what it has, in no order. */
    private record FolderSource(Path folder) implements RemoteSource {
        private Path file(String address) {
            return folder.resolve(address.substring("store://x/".length()));
        }

        @Override
        public Answer get(String address, long from, long count) {
            try {
                byte[] all = Files.readAllBytes(file(address));
                int end = (int) Math.min(all.length, from + count);
                InputStream part = new ByteArrayInputStream(all, (int) from, end - (int) from);
                return new Answer(all.length, "1", false, part);
            } catch (NoSuchFileException e) {
                throw new MissingFileException(address);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public List<String> list(String start, boolean deep) {
            try (Stream<Path> files = Files.walk(file(start.replaceFirst("[^/]*$", "")), deep ? 9 : 1)) {
                return files.filter(file -> !deep || Files.isRegularFile(file))
                        .map(file -> "store://x/" + folder.relativize(file) + (Files.isDirectory(file) ? "/" : ""))
                        .filter(address -> !start.equals(address) && !address.endsWith("x//"))
                        .filter(address -> address.startsWith(start))
                        .sorted(Comparator.reverseOrder())
                        .toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** A sample is not replaced by another one because a network fails. */
    @Test
    void aNetworkThatFailsStopsTheLoader() {
        ImageSet images = open(server.address("cat.jpg"), folder + "/files/0.tar");
        RemoteFiles.use(folder.resolve("other"), 200_000_000);
        server.failures.addAll(List.of(503, 503, 503, 503, 503, 503, 503, 503));
        try (ImageLoader<Integer> loader = new ImageLoader<>(
                images,
                new SampleOrder(images.size(), 0, false),
                ImageLoader.Settings.of(1, 1),
                (image, draw) -> 0,
                problems::add)) {
            assertThatThrownBy(loader::next)
                    .isInstanceOf(UncheckedIOException.class)
                    .cause()
                    .hasMessage(server.address("cat.jpg") + ": the server is busy (503); try again later");
        }
        assertThat(problems).isEmpty();
    }
}
