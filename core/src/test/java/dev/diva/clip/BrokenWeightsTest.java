package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.Precision;
import dev.diva.mine.Dinov2;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights with numbers that are none, or without the part that gives an embedding: refused by name, never encoded. */
class BrokenWeightsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
    void textsAreRefused(double value) throws IOException {
        String name = "text_model.final_layer_norm.weight";
        try (Clip clip = Clip.load(damaged("clip-hf-vit", name, value))) {
            assertThatThrownBy(() -> clip.encodeTexts(List.of("a cat"), Clip.Scale.RAW))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(name);
        }
    }

    @Test
    void imagesAreRefused() throws IOException {
        String name = "vision_model.post_layernorm.weight";
        try (Clip clip = Clip.load(damaged("clip-hf-vit", name, Double.NaN))) {
            int size = Math.toIntExact(clip.config().vision().imageSize());
            assertThatThrownBy(() -> clip.encodeImages(List.of(new float[3 * size * size]), Clip.Scale.UNIT))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(name);
        }
    }

    @Test
    void roundingToInt8Refuses() throws IOException {
        String name = "vision_model.encoder.layers.0.mlp.fc1.weight";
        Path model = damaged("clip-hf-vit", name, Double.NaN);
        Clip.Options int8 = Clip.Options.DEFAULT.withPrecision(Precision.INT8);
        assertThatThrownBy(() -> Clip.load(model, int8).close())
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(name);
    }

    @Test
    void imagesOfDinov2AreRefused() throws IOException {
        try (Dinov2 model = Dinov2.load(damaged("dinov2", "layernorm.weight", Double.NaN), Precision.FP32)) {
            int size = model.imageSize();
            assertThatThrownBy(() -> model.images(List.of(new float[3 * size * size])))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("layernorm.weight");
        }
    }

    @Test
    void aTowerWithoutProjectionIsToldAsSuch() throws IOException {
        Path model = damaged("clip-hf-vit", "visual_projection.weight", null);
        assertThatThrownBy(() -> Clip.load(model).close())
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("CLIPVisionModelWithProjection");
    }

    /** A model with one tensor of nothing but that value, or without that tensor. */
    private Path damaged(String golden, String name, Double value) throws IOException {
        try (var files = Files.list(Golden.path(golden))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Path target = folder.resolve("model.safetensors");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile source =
                        SafetensorsFile.open(Golden.path(golden).resolve("model.safetensors"))) {
            Map<String, Tensor> tensors = new TreeMap<>();
            for (TensorInfo info : source.tensors()) {
                tensors.put(info.name(), source.read(info.name()).to(ScalarType.Float));
            }
            Tensor old = tensors.remove(name);
            if (value != null) {
                tensors.put(name, old.clone().fill_(new Scalar(value.doubleValue())));
            }
            Files.delete(target);
            SafetensorsWriter.write(target, tensors, Map.of("format", "pt"));
        }
        return folder;
    }
}
