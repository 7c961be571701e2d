package dev.diva.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A kernel, a matrix and a vector in half precision, converted and read again: the same numbers in the same layout as without. */
class ConvertedWeightsTest {
    private static final List<String> NAMES = List.of("kernel", "matrix", "vector");

    @TempDir
    Path folder;

    private PointerScope scope;
    private Path stored;
    private Path kept;

    @BeforeEach
    void store() {
        scope = new PointerScope();
        stored = folder.resolve("model.safetensors");
        kept = folder.resolve("cache/weights");
        store(1);
    }

    private void store(long seed) {
        torch.manual_seed(seed);
        SafetensorsWriter.write(
                stored,
                Map.of(
                        "kernel", torch.randn(64, 8, 3, 3).to(ScalarType.Half),
                        "matrix", torch.randn(16, 24).to(ScalarType.Half),
                        "vector", torch.randn(16).to(ScalarType.Half)),
                Map.of());
    }

    @AfterEach
    void free() {
        scope.close();
    }

    private static Tensor model(Weights weights) {
        weights.matrix("kernel", 64, 8, 3, 3);
        weights.matrix("matrix", 16, 24);
        return weights.vector("vector", 16);
    }

    private Weights kept(Precision precision) {
        Weights weights = new ConvertedWeights(kept)
                .frozen(
                        () -> SafetensorsFile.open(stored),
                        List.of(stored),
                        Placement.cpu(precision),
                        ConvertedWeightsTest::model);
        model(weights);
        weights.finish();
        return weights;
    }

    private void requireSame(Weights weights, Precision precision) {
        try (Weights plain = Weights.frozen(SafetensorsFile.open(stored), Placement.cpu(precision))) {
            model(plain);
            for (String name : NAMES) {
                Tensor expected = plain.tensors().get(name);
                Tensor actual = weights.tensors().get(name);
                assertThat(actual.scalar_type().intern())
                        .isEqualTo(expected.scalar_type().intern());
                assertThat(actual.strides().vec().get())
                        .as(name)
                        .isEqualTo(expected.strides().vec().get());
                assertThat(actual.equal(expected)).as(name).isTrue();
            }
        }
    }

    private List<Path> files() throws IOException {
        try (var files = Files.list(kept)) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .toList();
        }
    }

    @Test
    void areTheSameWhenTheyAreMadeAndWhenTheyAreThere() throws IOException {
        for (Precision precision : List.of(Precision.FP32, Precision.BF16)) {
            for (int i = 0; i < 2; i++) {
                try (Weights weights = kept(precision)) {
                    requireSame(weights, precision);
                    assertThat(weights.location()).startsWith(kept.toString());
                }
            }
        }
        assertThat(files()).hasSize(2);
        try (Weights weights = kept(Precision.BF16)) {
            assertThat(weights.tensors().get("kernel").is_contiguous(MemoryFormat.ChannelsLast))
                    .isTrue();
        }
    }

    @Test
    void whatAKilledProcessLeftIsDeleted() throws IOException {
        kept(Precision.BF16).close();
        Path file = files().get(0);
        Path unfinished = Files.move(file, kept.resolve("." + file.getFileName() + "123.tmp"));
        kept(Precision.BF16).close();
        assertThat(file).exists();
        assertThat(unfinished).doesNotExist();
    }

    @Test
    void areMadeAgainWhenTheModelHasChanged() throws IOException {
        kept(Precision.BF16).close();
        store(2);
        Files.setLastModifiedTime(stored, java.nio.file.attribute.FileTime.fromMillis(1));
        try (Weights weights = kept(Precision.BF16)) {
            requireSame(weights, Precision.BF16);
        }
        assertThat(files()).hasSize(2);
    }

    @Test
    void areMadeAgainWhenTheFileIsCut() throws IOException {
        kept(Precision.BF16).close();
        Path file = files().get(0);
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length - 1));
        try (Weights weights = kept(Precision.BF16)) {
            requireSame(weights, Precision.BF16);
        }
        assertThat(files()).containsExactly(file);
        assertThat(file).hasBinaryContent(whole);
    }

    @Test
    void areThoseOfTheModelWhereTheyCannotBeKept() throws IOException {
        kept = Files.writeString(folder.resolve("file"), "no folder").resolve("weights");
        try (Weights weights = kept(Precision.BF16)) {
            requireSame(weights, Precision.BF16);
        }
    }

    @Test
    void noneAreMadeOfWeightsThatCanBeMappedAsTheyAre() {
        try (Weights weights = Weights.frozen(SafetensorsFile.open(stored), Placement.cpu(Precision.FP32))) {
            model(weights);
            SafetensorsWriter.write(folder.resolve("fp32.safetensors"), weights.tensors(), Map.of());
        }
        stored = folder.resolve("fp32.safetensors");
        kept(Precision.FP32).close();
        assertThat(kept).doesNotExist();
    }

    @Test
    void modelThatDoesNotFitIsNamedItself() {
        SafetensorsWriter.write(stored, Map.of("matrix", torch.zeros(3, 4)), Map.of());
        assertThatThrownBy(() -> kept(Precision.BF16))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(stored.toString())
                .hasMessageContaining("missing kernel");
    }
}
