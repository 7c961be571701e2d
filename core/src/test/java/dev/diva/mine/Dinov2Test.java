package dev.diva.mine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.data.ImageEntry;
import dev.diva.engine.Activations;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.MetaDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against transformers 4.46.3 on random weights; the images are smaller than those of the position table. */
class Dinov2Test {
    private static final double TOLERANCE = 1e-4; // of the largest value

    @TempDir
    Path folder;

    @Tag("golden")
    @ParameterizedTest
    @ValueSource(strings = {"dinov2", "dinov2-swiglu"})
    void tokensAreThoseOfTransformers(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Dinov2 model = Dinov2.load(Golden.path(name), Precision.FP32)) {
            Close.assertCloseToLargest(
                    model.hidden(golden.input("pixel_values")), golden.expected("last_hidden_state"), TOLERANCE, 0);
        }
    }

    @Test
    void imagesAreEmbeddedWhereTheModelIs() {
        Placement elsewhere = MetaDevice.placement(Precision.BF16, Activations.KEPT);
        try (PointerScope scope = new PointerScope();
                Dinov2 model = Dinov2.load(Golden.model("dinov2"), elsewhere)) {
            int side = model.imageSize();
            assertThat(model.images(List.of(new float[3 * side * side]))[0]).containsOnly(0); // of no values
        }
    }

    @Tag("golden")
    @Test
    void fileGivesThePixelsAndTheUnitFeature() {
        Golden golden = Golden.of("dinov2");
        try (PointerScope scope = new PointerScope();
                Dinov2 model = Dinov2.load(Golden.path("dinov2"), Precision.FP32)) {
            float[] pixels = model.pixels(ImageEntry.of(golden.file("image.png")));
            Close.assertClose(pixels, Tensors.toFloats(golden.expected("image_pixel_values")), 0, 1e-5);
            float[] feature = Tensors.toFloats(golden.expected("image_feature"));
            double norm = 0;
            for (float value : feature) {
                norm += value * value;
            }
            for (int i = 0; i < feature.length; i++) {
                feature[i] /= (float) Math.sqrt(norm);
            }
            Close.assertClose(model.images(List.of(pixels, pixels))[1], feature, 0, 1e-4);
        }
    }

    @Test
    void imagesOfTheTablesOwnSizeTakeItAsItIs() throws IOException {
        Golden golden = Golden.resource("dinov2");
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(golden.file(file), folder.resolve(file));
        }
        Files.writeString(
                folder.resolve("preprocessor_config.json"),
                "{\"size\":{\"shortest_edge\":70},\"crop_size\":{\"height\":70,\"width\":70}}");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Dinov2 model = Dinov2.load(folder, Precision.FP32)) {
            Close.assertCloseToLargest(
                    model.hidden(golden.input("pixel_values_own_size")).select(1, 0),
                    golden.expected("pooler_output_own_size"),
                    TOLERANCE,
                    0);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "\"model_type\": \"dinov2_with_registers\", model_type",
        "\"qkv_bias\": false, qkv_bias",
        "\"num_channels\": 1, num_channels",
        "'\"quantization_config\": {\"bits\": 4}', quantization_config"
    })
    void whatIsNotComputedIsRefusedByItsKey(String setting, String key) throws IOException {
        Golden golden = Golden.resource("dinov2");
        Files.copy(golden.file("model.safetensors"), folder.resolve("model.safetensors"));
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"dinov2\", " + setting + "}");
        assertThatThrownBy(() -> Dinov2.load(folder, Precision.FP32))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(key);
    }

    /** As torch.compile and Dinov2ForImageClassification put it before all names. */
    @Test
    void wrappersOfNamesAreTakenOff() throws IOException {
        Golden golden = Golden.resource("dinov2");
        Files.copy(golden.file("config.json"), folder.resolve("config.json"));
        try (PointerScope scope = new PointerScope();
                SafetensorsFile source = SafetensorsFile.open(golden.file("model.safetensors"))) {
            Map<String, Tensor> wrapped = new TreeMap<>();
            source.tensors().forEach(info -> wrapped.put("_orig_mod.dinov2." + info.name(), source.read(info.name())));
            SafetensorsWriter.write(folder.resolve("model.safetensors"), wrapped, Map.of());
        }
        Dinov2.load(folder, Precision.FP32).close();
    }

    @Test
    void otherModelIsRefusedByItsType() {
        assertThatThrownBy(() -> Dinov2.load(Golden.model("clip-hf-vit"), Precision.FP32))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("model_type")
                .hasMessageContaining("expected dinov2");
        assertThatThrownBy(() -> Dinov2.load(folder, Precision.FP32))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("no DINOv2 in transformers' layout");
    }
}
