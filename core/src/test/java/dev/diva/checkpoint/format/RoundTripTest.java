package dev.diva.checkpoint.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoundTripTest {
    @Tag("golden")
    @ParameterizedTest
    @CsvSource({
        "clip-hf-vit/model.safetensors, HF, OPEN_CLIP",
        "clip-hf-vit/model.safetensors, HF, OPENAI",
        "siglip-hf/model.safetensors, HF, OPEN_CLIP",
        "open_clip-vit-gelu/open_clip_model.safetensors, OPEN_CLIP, HF",
        "open_clip-vit-quickgelu/open_clip_model.safetensors, OPEN_CLIP, OPENAI",
        "siglip-open_clip/open_clip_model.safetensors, OPEN_CLIP, HF",
        "siglip2-gopt/open_clip_model.safetensors, OPEN_CLIP, HF",
        "metaclip2/model.safetensors, HF, OPEN_CLIP"
    })
    void thereAndBackGivesTheSameBytes(
            String original, CheckpointFormat format, CheckpointFormat other, @TempDir Path folder) throws IOException {
        Path there = folder.resolve(CheckpointWriter.fileName(other));
        Path back = folder.resolve("back").resolve(CheckpointWriter.fileName(format));
        Path file = Golden.path(original);
        convert(file, there, other);
        convert(there, back, format);
        assertThat(Files.mismatch(file, back)).isEqualTo(-1);
    }

    @Tag("golden")
    @ParameterizedTest
    @CsvSource({"clip-openai-jit/ViT-jit.pt", "clip-openai-jit/ViT-state-dict.pt", "diva-openai-published/clip.pt"})
    void openAiToHfAndBackGivesTheSameTensorsInTheSameOrder(String original, @TempDir Path folder) throws IOException {
        Path hf = folder.resolve("model.safetensors");
        Path back = folder.resolve("a").resolve("model.pt");
        Path again = folder.resolve("b").resolve("model.pt");
        convert(Golden.path(original), hf, CheckpointFormat.HF);
        convert(hf, back, CheckpointFormat.OPENAI);
        convert(back, again, CheckpointFormat.OPENAI);
        assertThat(Files.mismatch(back, again)).isEqualTo(-1);
        try (PointerScope scope = new PointerScope();
                TensorSource before = TensorFile.open(Golden.path(original));
                TensorSource after = TensorFile.open(back)) {
            List<TensorInfo> weights = before.tensors().stream()
                    .filter(info -> !NameTable.OPENAI.ignores(info.name()))
                    .toList();
            if (original.contains("jit")) {
                assertThat(after.tensors()).containsExactlyInAnyOrderElementsOf(weights);
            } else {
                assertThat(List.copyOf(after.tensors())).isEqualTo(weights);
            }
            for (TensorInfo info : weights) {
                assertThat(after.read(info.name()).equal(before.read(info.name())))
                        .as(info.name())
                        .isTrue();
            }
        }
    }

    @Test
    void sigLipInOpenAisLayoutIsRefused(@TempDir Path folder) {
        assertThatThrownBy(
                        () -> convert(Golden.model("siglip-hf"), folder.resolve("model.pt"), CheckpointFormat.OPENAI))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("choose hf or open_clip");
        assertThat(folder).isEmptyDirectory();
    }

    private static void convert(Path from, Path to, CheckpointFormat format) {
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(from)) {
            CheckpointWriter.write(to, checkpoint.tensors(), format);
        }
    }
}
