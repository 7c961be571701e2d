package dev.diva.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.clip.Clip;
import dev.diva.engine.Activations;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.testing.Golden;
import dev.diva.testing.MetaDevice;
import dev.diva.testing.TensorMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read, what is checked, and what is said of keys that do not fit. */
class WeightsTest {
    @Test
    void unreadTensorsAreCheckedAndReadWhenAskedForAgain() {
        try (PointerScope scope = new PointerScope()) {
            Weights weights =
                    Weights.frozen(new TensorMap(Map.of("a", torch.ones(2, 3))), Placement.cpu(Precision.FP32));
            assertThat(weights.unread().matrix("a", 2, 3).shape()).containsExactly(2, 3);
            assertThat(weights.tensors()).isEmpty();
            weights.finish();
            assertThat(weights.matrix("a", 2, 3).sum().item_float()).isEqualTo(6);
            assertThat(weights.tensors()).containsOnlyKeys("a");
        }
    }

    @Test
    void kernelsHaveTheirChannelsLastElsewhereAndTheReferencesLayoutHere() {
        try (PointerScope scope = new PointerScope()) {
            TensorMap tensors = new TensorMap(Map.of("kernel", torch.ones(4, 2, 3, 3)));
            Placement elsewhere = MetaDevice.placement(Precision.FP32, Activations.KEPT);
            assertThat(Weights.frozen(tensors, elsewhere)
                            .matrix("kernel", 4, 2, 3, 3)
                            .is_contiguous(MemoryFormat.ChannelsLast))
                    .isTrue();
            assertThat(Weights.frozen(tensors, Placement.cpu(Precision.FP32))
                            .matrix("kernel", 4, 2, 3, 3)
                            .is_contiguous())
                    .isTrue();
        }
    }

    @Test
    void whatIsUsedOnceKeepsTheStoredTypeInLinearLayersAlone() {
        try (PointerScope scope = new PointerScope()) {
            Tensor stored = torch.ones(2, 3).to(ScalarType.Half);
            TensorMap tensors = new TensorMap(Map.of("layer", stored, "table", stored));
            Weights weights =
                    Weights.frozen(tensors, Placement.cpu(Precision.BF16)).usedOnce();
            assertThat(weights.linear("layer", 2, 3).scalar_type().intern()).isEqualTo(ScalarType.Half);
            assertThat(weights.matrix("table", 2, 3).scalar_type().intern()).isEqualTo(ScalarType.BFloat16);
            weights.linear("none", 2, 3);
            assertThatThrownBy(weights::finish)
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("missing none [2, 3]");
            Tensor learns = Weights.trained(tensors, Placement.cpu(Precision.BF16), name -> true)
                    .usedOnce()
                    .linear("layer", 2, 3);
            assertThat(learns.scalar_type().intern()).isEqualTo(ScalarType.Float);
            assertThat(learns.requires_grad()).isTrue();
        }
    }

    @Test
    void unreadTensorsThatDoNotFitAreOneError() {
        try (PointerScope scope = new PointerScope()) {
            Weights weights =
                    Weights.frozen(new TensorMap(Map.of("a", torch.ones(2, 3))), Placement.cpu(Precision.FP32));
            weights.unread().matrix("a", 3, 2);
            weights.unread().at("b").vector("bias", 4);
            assertThatThrownBy(weights::finish)
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("a is [2, 3], expected [3, 2]")
                    .hasMessageContaining("missing b.bias [4]");
        }
    }

    @Test
    void damagedTextTowerIsToldAlthoughOnlyImagesAreWanted(@TempDir Path folder) throws IOException {
        String lost = "text_model.encoder.layers.0.mlp.fc1.bias";
        Files.copy(Golden.model("clip-hf-vit").resolve("config.json"), folder.resolve("config.json"));
        try (PointerScope scope = new PointerScope();
                SafetensorsFile whole =
                        SafetensorsFile.open(Golden.model("clip-hf-vit").resolve("model.safetensors"))) {
            Map<String, Tensor> tensors =
                    new LinkedHashMap<>(TensorMap.under("", whole).values());
            tensors.remove(lost);
            SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
        }
        assertThatThrownBy(() -> Clip.load(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("missing " + lost);
    }
}
