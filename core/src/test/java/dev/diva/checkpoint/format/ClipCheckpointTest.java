package dev.diva.checkpoint.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipCheckpointTest {
    @Tag("golden")
    @ParameterizedTest
    @CsvSource({
        "clip-hf-vit, HF, false",
        "siglip-hf, HF, true",
        "siglip-open_clip, OPEN_CLIP, true",
        "siglip-open_clip/open_clip_pytorch_model.bin, OPEN_CLIP, true",
        "open_clip-vit-gelu, OPEN_CLIP, false",
        "open_clip-vit-gelu/epoch_1.pt, OPEN_CLIP, false",
        "open_clip-vit-quickgelu, OPEN_CLIP, false",
        "clip-openai-jit/ViT-jit.pt, OPENAI, false",
        "clip-openai-jit/ViT-state-dict.pt, OPENAI, false",
        "diva-openai-published/clip.pt, OPENAI, false"
    })
    void everyLayoutIsFoundAndGivesOurNamesOnly(String path, CheckpointFormat format, boolean siglip) {
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(Golden.path(path))) {
            assertThat(checkpoint.format()).isEqualTo(format);
            assertThat(checkpoint.isSiglip()).isEqualTo(siglip);
            assertThat(checkpoint.hasText()).isTrue();
            assertThat(patterns(checkpoint.tensors()))
                    .isEqualTo(patterns(TensorFile.open(
                            Golden.path(siglip ? "siglip-hf" : "clip-hf-vit").resolve("model.safetensors"))));
        }
    }

    @Tag("golden")
    @Test
    void theSameWeightsInThreeContainersAreEqual() {
        Path folder = Golden.path("open_clip-vit-gelu");
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint safetensors = ClipCheckpoint.open(folder);
                ClipCheckpoint zip = ClipCheckpoint.open(folder.resolve("open_clip_pytorch_model.bin"));
                ClipCheckpoint legacy = ClipCheckpoint.open(folder.resolve("epoch_1.pt"))) {
            for (TensorInfo info : safetensors.tensors().tensors()) {
                assertThat(zip.tensors().info(info.name())).isEqualTo(info);
                assertThat(legacy.tensors().info(info.name())).isEqualTo(info);
                var expected = safetensors.tensors().read(info.name());
                assertThat(expected.equal(zip.tensors().read(info.name())))
                        .as(info.name())
                        .isTrue();
                assertThat(expected.equal(legacy.tensors().read(info.name())))
                        .as(info.name())
                        .isTrue();
            }
        }
    }

    @Test
    void splitAndTransposedTensorsAreViewsOfTheFile() {
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint checkpoint = ClipCheckpoint.open(Golden.model("open_clip-vit-gelu"))) {
            var q = checkpoint.tensors().read("vision_model.encoder.layers.0.self_attn.q_proj.weight");
            var k = checkpoint.tensors().read("vision_model.encoder.layers.0.self_attn.k_proj.weight");
            assertThat(k.data_ptr().address() - q.data_ptr().address()).isEqualTo(32 * 32 * 2);
            var stored = checkpoint.stored().read("visual.proj");
            var turned = checkpoint.tensors().read("visual_projection.weight");
            assertThat(turned.shape()).containsExactly(24, 32);
            assertThat(turned.data_ptr().address()).isEqualTo(stored.data_ptr().address());
            assertThat(turned.t().equal(stored)).isTrue();
        }
    }

    @Test
    void twoLayoutsInOneFolderAreRefusedUntilOneIsNamed(@TempDir Path folder) throws IOException {
        Files.copy(Golden.model("clip-hf-vit/model.safetensors"), folder.resolve("model.safetensors"));
        Files.copy(
                Golden.model("open_clip-vit-gelu/open_clip_model.safetensors"),
                folder.resolve("open_clip_model.safetensors"));
        assertThatThrownBy(() -> ClipCheckpoint.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("--format hf or --format open_clip");
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(folder, CheckpointFormat.OPEN_CLIP)) {
            assertThat(checkpoint.file().getFileName()).hasToString("open_clip_model.safetensors");
        }
    }

    @Test
    void wrongFormatFlagSaysWhatTheFileIs() {
        assertThatThrownBy(() -> ClipCheckpoint.open(Golden.model("clip-hf-vit"), CheckpointFormat.OPENAI))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("is hf, not openai");
    }

    @Test
    void shardsOutsideTheFolderAreRefused(@TempDir Path folder) throws IOException {
        Path index = folder.resolve("model.safetensors.index.json");
        Files.writeString(index, "{\"weight_map\": {\"a\": \"../secret.safetensors\"}}");
        assertThatThrownBy(() -> ClipCheckpoint.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("../secret.safetensors");
    }

    /** Names with layer numbers removed: the golden towers differ in depth. */
    private static Set<String> patterns(TensorSource source) {
        return source.tensors().stream()
                .map(info -> info.name().replaceAll("\\.\\d+\\.", ".#."))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
