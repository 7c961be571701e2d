package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.testing.Golden;
import dev.diva.testing.TensorMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipExportTest {
    @Tag("golden")
    @ParameterizedTest
    @CsvSource({
        "clip-hf-vit, OPEN_CLIP",
        "siglip-hf, OPEN_CLIP",
        "open_clip-vit-gelu, HF",
        "open_clip-vit-quickgelu, HF",
        "siglip-open_clip, HF",
        "clip-openai-jit/ViT-jit.pt, HF",
        "clip-openai-jit/ViT-jit.pt, OPEN_CLIP",
        "clip-openai-jit/ViT-state-dict.pt, OPENAI",
        "open_clip-vit-gelu/epoch_1.pt, HF"
    })
    void theExportDescribesTheSameTowersAndPixels(String golden, CheckpointFormat to, @TempDir Path folder) {
        Path out = folder.resolve("out");
        try (ClipCheckpoint original = ClipCheckpoint.open(Golden.path(golden))) {
            ClipExport.export(original, to, out, false);
            try (ClipCheckpoint exported = ClipCheckpoint.open(out)) {
                assertThat(exported.format()).isEqualTo(to);
                ClipConfig before = new ClipFiles(original).config();
                ClipConfig after = new ClipFiles(exported).config();
                // The timm tower has no name for the tanh form of GELU.
                if (original.isSiglip() && to == CheckpointFormat.OPEN_CLIP) {
                    assertThat(after.vision().numTokens())
                            .isEqualTo(before.vision().numTokens());
                    assertThat(after.vision().transformer().numAttentionHeads())
                            .isEqualTo(before.vision().transformer().numAttentionHeads());
                } else {
                    assertThat(after.vision()).isEqualTo(before.vision());
                }
                assertThat(after.text().transformer()).isEqualTo(before.text().transformer());
                assertThat(after.text().pooling()).isEqualTo(before.text().pooling());
                Preprocessing pixels = new ClipFiles(exported).preprocessing(after.vision());
                Preprocessing pixelsBefore = new ClipFiles(original).preprocessing(before.vision());
                assertThat(pixels.mean()).isEqualTo(pixelsBefore.mean());
                assertThat(pixels.std()).isEqualTo(pixelsBefore.std());
                assertThat(pixels.resize()).isEqualTo(pixelsBefore.resize());
                assertThat(pixels.imageSize()).isEqualTo(pixelsBefore.imageSize());
            }
        }
    }

    @Tag("golden")
    @Test
    void thePublishedVocabularyIsWrittenForTransformers(@TempDir Path folder) throws IOException {
        try (ClipCheckpoint original = ClipCheckpoint.open(Golden.path("open_clip-vit-quickgelu"))) {
            ClipExport.export(original, CheckpointFormat.HF, folder.resolve("out"), false);
        }
        var json = new com.fasterxml.jackson.databind.ObjectMapper();
        assertThat(json.readTree(folder.resolve("out/vocab.json").toFile()))
                .isEqualTo(json.readTree(
                        Golden.path("clip-hf-vit").resolve("vocab.json").toFile()));
        assertThat(Files.readAllLines(folder.resolve("out/merges.txt")))
                .isEqualTo(Files.readAllLines(Golden.path("clip-hf-vit").resolve("merges.txt")));
    }

    @Tag("golden")
    @Test
    void mixedPrecisionBecomesFp32ForTransformersWithTheSameValues(@TempDir Path folder) {
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint original = ClipCheckpoint.open(Golden.path("clip-openai-jit/ViT-jit.pt"))) {
            ClipExport.export(original, CheckpointFormat.HF, folder.resolve("out"), false);
            try (ClipCheckpoint exported = ClipCheckpoint.open(folder.resolve("out"))) {
                for (TensorInfo info : original.tensors().tensors()) {
                    assertThat(exported.tensors().info(info.name()).dtype()).isEqualTo(Dtype.F32);
                    assertThat(exported.tensors()
                                    .read(info.name())
                                    .equal(original.tensors().read(info.name()).to(Dtype.F32.scalarType())))
                            .as(info.name())
                            .isTrue();
                }
            }
        }
    }

    @Test
    void theConfigNamesTheTypeOfTrainedTensors(@TempDir Path folder) throws IOException {
        Path golden = Golden.model("clip-hf-vit");
        Path half = Files.createDirectory(folder.resolve("half"));
        ObjectMapper json = new ObjectMapper();
        ObjectNode config =
                (ObjectNode) json.readTree(golden.resolve("config.json").toFile());
        config.put("torch_dtype", "float16");
        ((ObjectNode) config.path("vision_config")).put("dtype", "float16");
        json.writeValue(half.resolve("config.json").toFile(), config);
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint trained = ClipCheckpoint.open(golden)) {
            Map<String, Tensor> stored = new LinkedHashMap<>();
            Map<String, Tensor> masters = new LinkedHashMap<>();
            for (TensorInfo info : trained.tensors().tensors()) {
                Tensor value = trained.tensors().read(info.name());
                boolean floating = info.dtype().isFloating();
                stored.put(info.name(), floating ? value.to(Dtype.F16.scalarType()) : value);
                masters.put(info.name(), floating ? value.to(Dtype.F32.scalarType()) : value);
            }
            SafetensorsWriter.write(half.resolve("model.safetensors"), stored, Map.of("format", "pt"));
            try (ClipCheckpoint original = ClipCheckpoint.open(half)) {
                ClipExport.export(original, CheckpointFormat.HF, folder.resolve("same"), false);
                ClipExport.export(original, new TensorMap(masters), CheckpointFormat.HF, folder.resolve("out"), false);
            }
        }
        assertThat(Files.readAllBytes(folder.resolve("same/config.json")))
                .isEqualTo(Files.readAllBytes(half.resolve("config.json")));
        config.put("torch_dtype", "float32");
        ((ObjectNode) config.path("vision_config")).put("dtype", "float32");
        assertThat(json.readTree(folder.resolve("out/config.json").toFile())).isEqualTo(config);
    }

    @Test
    void whatOpenAisCodeCannotRunIsRefused(@TempDir Path folder) {
        try (ClipCheckpoint original = ClipCheckpoint.open(Golden.model("open_clip-vit-gelu"))) {
            assertThatThrownBy(() -> ClipExport.export(original, CheckpointFormat.OPENAI, folder.resolve("out"), false))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("QuickGELU and heads of 64");
        }
        assertThat(folder).isEmptyDirectory();
    }

    /** transformers' and OpenAI's text towers are causal and pool the end of the text, whatever the config of open_clip said. */
    @ParameterizedTest
    @CsvSource({"no_causal_mask, true", "pool_type, '\"last\"'"})
    void aTextTowerThatTheLayoutHasNoPlaceForIsRefused(String key, String value, @TempDir Path folder)
            throws IOException {
        ObjectMapper json = new ObjectMapper();
        Path model = Files.createDirectory(folder.resolve("model"));
        Path golden = Golden.model("open_clip-vit-quickgelu");
        Files.copy(golden.resolve("open_clip_model.safetensors"), model.resolve("open_clip_model.safetensors"));
        var config = json.readTree(golden.resolve("open_clip_config.json").toFile());
        ((ObjectNode) config.path("model_cfg").path("text_cfg")).set(key, json.readTree(value));
        json.writeValue(model.resolve("open_clip_config.json").toFile(), config);
        try (ClipCheckpoint original = ClipCheckpoint.open(model)) {
            for (CheckpointFormat other : new CheckpointFormat[] {CheckpointFormat.OPENAI, CheckpointFormat.HF}) {
                assertThatThrownBy(() -> ClipExport.export(original, other, folder.resolve("out"), false))
                        .isInstanceOf(BadInputException.class)
                        .hasMessageContaining("text tower")
                        .hasMessageContaining("choose open_clip");
            }
        }
        assertThat(folder.resolve("out")).doesNotExist();
    }

    /** The pieces of the first SigLIP become a tokenizer that cleans texts, Gemma's of SigLIP 2 do not. */
    @ParameterizedTest
    @CsvSource({"siglip2-gopt, true", "siglip-open_clip, false"})
    void aCleaningOfTextsThatTransformersDoesNotDoIsTold(String name, boolean told) {
        try (ClipCheckpoint original = ClipCheckpoint.open(Golden.model(name))) {
            String notes = String.join("; ", ClipExport.notes(original, CheckpointFormat.HF));
            assertThat(notes.contains("lower case")).isEqualTo(told);
            assertThat(ClipExport.notes(original, CheckpointFormat.OPEN_CLIP)).isEmpty();
        }
    }

    @Test
    void onlyAnEarlierExportIsReplacedAndOnlyWhenAsked(@TempDir Path folder) throws IOException {
        Path out = folder.resolve("out");
        try (ClipCheckpoint original = ClipCheckpoint.open(Golden.model("clip-hf-vit"))) {
            ClipExport.export(original, CheckpointFormat.OPEN_CLIP, out, false);
            assertThatThrownBy(() -> ClipExport.export(original, CheckpointFormat.HF, out, false))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("--overwrite");
            ClipExport.export(original, CheckpointFormat.HF, out, true);
            assertThat(out.resolve("open_clip_config.json")).doesNotExist();
            for (String name : new String[] {"mine.txt", "config.json"}) { // one of ours that was changed since
                byte[] old = Files.exists(out.resolve(name)) ? Files.readAllBytes(out.resolve(name)) : null;
                Files.writeString(out.resolve(name), "{}");
                assertThatThrownBy(() -> ClipExport.export(original, CheckpointFormat.HF, out, true))
                        .isInstanceOf(BadInputException.class)
                        .hasMessageContaining(name);
                assertThat(out.resolve(name)).hasContent("{}");
                Files.delete(out.resolve(name));
                if (old != null) {
                    Files.write(out.resolve(name), old);
                }
            }
            ClipExport.export(original, CheckpointFormat.HF, out, true);
        }
        try (var left = Files.list(folder)) {
            assertThat(left).hasSize(1);
        }
    }
}
