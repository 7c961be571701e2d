package dev.diva.checkpoint.pickle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PickleFileTest {
    @ParameterizedTest
    @ValueSource(strings = {"views.pt", "views-legacy.pt", "views-protocol4.pt"})
    void everyTypeAndViewEqualsWhatTorchSaved(String name) {
        try (PointerScope scope = new PointerScope();
                TensorSource expected = TensorFile.open(file("views.safetensors"));
                TensorSource pickle = TensorFile.open(file(name))) {
            assertThat(pickle.tensors()).containsExactlyInAnyOrderElementsOf(expected.tensors());
            for (TensorInfo info : expected.tensors()) {
                assertThat(pickle.read(info.name()).equal(expected.read(info.name())))
                        .as(info.name())
                        .isTrue();
            }
            // A transpose and its base share the mapped storage: nothing was copied.
            if (!name.contains("legacy")) {
                assertThat(pickle.read("transposed").data_ptr().address())
                        .isEqualTo(pickle.read("base").data_ptr().address());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"diva-authors.pth, DIVA", "training.pt, OPEN_CLIP"})
    void aClipInsideALargerFileIsFoundWithAllItsWeights(String name, CheckpointFormat format) {
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint plain = ClipCheckpoint.open(Golden.model("open_clip-vit-gelu"));
                ClipCheckpoint inside = ClipCheckpoint.open(file(name))) {
            assertThat(inside.format()).isEqualTo(format);
            assertThat(inside.tensors().tensors())
                    .containsExactlyInAnyOrderElementsOf(plain.tensors().tensors());
            for (TensorInfo info : plain.tensors().tensors()) {
                assertThat(inside.tensors()
                                .read(info.name())
                                .equal(plain.tensors().read(info.name())))
                        .as(info.name())
                        .isTrue();
            }
        }
    }

    @Test
    void theAuthorsProjectionCanBeReadBesideTheClip() {
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(file("diva-authors.pth"))) {
            assertThat(checkpoint.stored().info("visual_proj.weight")).isNotNull();
            assertThat(checkpoint.tensors().info("visual_proj.weight")).isNull();
        }
    }

    @Test
    void aTruncatedArchiveIsAnErrorThatNamesTheFile(@TempDir Path folder) throws IOException {
        byte[] whole = Files.readAllBytes(file("views.pt"));
        Path cut = Files.write(folder.resolve("cut.pt"), java.util.Arrays.copyOf(whole, whole.length / 2));
        assertThatThrownBy(() -> TensorFile.open(cut))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("cut.pt")
                .hasMessageContaining("truncated");
    }

    private static Path file(String name) {
        try {
            return Path.of(PickleFileTest.class.getResource("/pickles/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
