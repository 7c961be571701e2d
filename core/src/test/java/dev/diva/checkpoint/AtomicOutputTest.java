package dev.diva.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What appears by rename: whole, readable as the umask says, and over nothing that is somebody else's. */
class AtomicOutputTest {
    @TempDir
    Path folder;

    @Test
    void modesAreThoseOfPlainFilesAndFolders() throws IOException {
        assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"), "modes");
        Path file = folder.resolve("file");
        AtomicFile.writeString(file, "x");
        Path made = folder.resolve("made");
        AtomicFolder.write(made, temporary -> {});
        assertThat(Files.getPosixFilePermissions(file))
                .isEqualTo(Files.getPosixFilePermissions(Files.createFile(folder.resolve("plain"))));
        assertThat(Files.getPosixFilePermissions(made))
                .isEqualTo(Files.getPosixFilePermissions(Files.createDirectory(folder.resolve("plain folder"))));
    }

    @Test
    void aCopyHasTheRightsOfPlainFilesToo() throws IOException {
        assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"), "modes");
        Path original = Files.writeString(folder.resolve("original"), "x");
        Files.setPosixFilePermissions(original, PosixFilePermissions.fromString("r--------"));
        AtomicFile.copy(original, folder.resolve("copy"));
        assertThat(folder.resolve("copy")).hasContent("x");
        assertThat(Files.getPosixFilePermissions(folder.resolve("copy")))
                .isEqualTo(Files.getPosixFilePermissions(Files.createFile(folder.resolve("plain"))));
    }

    @Test
    void onlyOwnFilesAreReplaced() throws IOException {
        Path target = folder.resolve("out");
        write(target, "first");
        write(target, "second");
        assertThat(target.resolve("own")).hasContent("second");
        Files.writeString(target.resolve("mine"), "mine");
        assertThatThrownBy(() -> write(target, "third"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("mine");
        assertThat(target.resolve("own")).hasContent("second");
        assertThat(target.resolve("mine")).hasContent("mine");
        Path file = Files.writeString(folder.resolve("file"), "mine");
        assertThatThrownBy(() -> write(file, "x")).isInstanceOf(BadInputException.class);
        assertThat(file).hasContent("mine");
        assertOnly("out", "file");
    }

    private static void write(Path target, String text) {
        AtomicFolder.replace(
                target,
                path -> path.toString().equals("own"),
                temporary -> Files.writeString(temporary.resolve("own"), text));
    }

    @Test
    void aLinkStaysALink() throws IOException {
        Path place = Files.createDirectory(folder.resolve("place"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), place);
        write(link, "text");
        assertThat(link).isSymbolicLink();
        assertThat(place.resolve("own")).hasContent("text");
    }

    @Test
    void aFileThatAppearedMeanwhileIsKept() {
        Path target = folder.resolve("file");
        assertThatThrownBy(() -> AtomicFile.writeNew(target, channel -> Files.writeString(target, "mine")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("appeared meanwhile");
        assertThat(target).hasContent("mine");
    }

    @Test
    void anOutputIsLockedOnce() throws IOException {
        Path target = folder.resolve("e.safetensors");
        try (OutputLock lock = OutputLock.of(target)) {
            assertThatThrownBy(() -> OutputLock.of(target).close())
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("another process is writing it");
        }
        OutputLock.of(target).close();
        assertOnly();
    }

    private void assertOnly(String... names) throws IOException {
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder(names);
        }
    }
}
