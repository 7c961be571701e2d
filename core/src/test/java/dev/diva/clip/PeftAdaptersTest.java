package dev.diva.clip;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters of peft over CLIP and SigLIP, against what peft's merge_and_unload() makes of them. */
class PeftAdaptersTest {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final Golden CLIP = Golden.resource("peft-clip");

    @TempDir
    private Path temporary;

    @Tag("golden")
    @ParameterizedTest
    @ValueSource(strings = {"peft-clip", "peft-siglip"})
    void mergedAsPeftDoes(String name) {
        Golden golden = Golden.of(name);
        double tolerance = golden.json("case.json").get("tolerance_merged").asDouble();
        for (String adapter : adapters(golden)) {
            String start = adapter + ".merged.";
            List<String> changed = Golden.endings(golden.expected(), start);
            assertThat(changed).as(adapter).isNotEmpty();
            try (PointerScope scope = new PointerScope();
                    ClipCheckpoint base = ClipCheckpoint.open(golden.file("base"));
                    ClipCheckpoint merged = ClipCheckpoint.open(golden.file(adapter))) {
                for (TensorInfo info : base.tensors().tensors()) {
                    boolean isChanged = changed.contains(info.name());
                    Tensor expected = isChanged
                            ? golden.expected(start + info.name())
                            : base.tensors().read(info.name());
                    assertClose(merged.tensors().read(info.name()), expected, 0, isChanged ? tolerance : 0);
                }
            }
        }
    }

    @Tag("golden")
    @ParameterizedTest
    @ValueSource(strings = {"peft-clip", "peft-siglip"})
    void embedsAsTheMergedModelDoes(String name) {
        Golden golden = Golden.of(name);
        for (String adapter : adapters(golden)) {
            if (!golden.json("case.json").at("/adapters/" + adapter + "/whole").asBoolean()) {
                continue;
            }
            try (PointerScope scope = new PointerScope();
                    Clip clip = Clip.load(golden.file(adapter))) {
                Tensor images = golden.input("pixel_values");
                List<float[]> pixels = new ArrayList<>();
                for (long i = 0; i < images.size(0); i++) {
                    pixels.add(Tensors.toFloats(images.get(i)));
                }
                assertClose(
                        rows(clip.encodeImages(pixels, Clip.Scale.RAW)),
                        golden.expected(adapter + ".image_embeds"),
                        0,
                        golden.tolerance());
                Tensor ids = golden.input("input_ids");
                List<long[]> texts = new ArrayList<>();
                for (long i = 0; i < ids.size(0); i++) {
                    Tensor row = ids.get(i);
                    texts.add(LongStream.range(0, row.size(0))
                            .map(at -> row.get(at).item_long())
                            .toArray());
                }
                assertClose(
                        rows(clip.encodeIds(texts, Clip.Scale.RAW)),
                        golden.expected(adapter + ".text_embeds"),
                        0,
                        golden.tolerance());
            }
        }
    }

    private static Tensor rows(float[][] rows) {
        Tensor all = torch.empty(rows.length, rows[0].length);
        for (int i = 0; i < rows.length; i++) {
            all.get(i).copy_(Tensor.create(rows[i]));
        }
        return all;
    }

    private static List<String> adapters(Golden golden) {
        List<String> names = new ArrayList<>();
        golden.json("case.json").get("adapters").fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Of an fp16 base too, whose merged matrices are fp32: one type in the export, and no value is lost. */
    @Test
    void theMergedModelIsExported() {
        Path out = temporary.resolve("merged");
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint adapted = ClipCheckpoint.open(CLIP.file("base"), null, CLIP.file("dora"))) {
            ClipExport.export(adapted, CheckpointFormat.HF, out, false);
            try (ClipCheckpoint exported = ClipCheckpoint.open(out)) {
                for (TensorInfo info : adapted.tensors().tensors()) {
                    assertClose(
                            exported.tensors().read(info.name()),
                            adapted.tensors().read(info.name()),
                            0,
                            0);
                }
            }
            assertThat(adapted.files()).contains(CLIP.file("dora").resolve(WEIGHTS));
        }
    }

    /** The names that transformers 5 gives the parts of a tower that is a model of its own. */
    @Test
    void bareNamesAreOfTheAdaptedClass() throws IOException {
        renamed("lora-vision", name -> name.replace(".vision_model.", "."), config -> {});
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint bare = ClipCheckpoint.open(CLIP.file("base"), null, temporary);
                ClipCheckpoint full = ClipCheckpoint.open(CLIP.file("lora-vision"))) {
            for (TensorInfo info : full.tensors().tensors()) {
                assertClose(bare.tensors().read(info.name()), full.tensors().read(info.name()), 0, 0);
            }
        }
        renamed("lora-vision", name -> name.replace(".vision_model.", "."), config -> config.remove("auto_mapping"));
        requireRefused("base_model_class");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    peft_type           | "LOHA"                | of the kind LOHA
                    peft_type           | "IA3"                 | of the kind IA3
                    peft_type           | "PROMPT_TUNING"       | of the kind PROMPT_TUNING
                    init_lora_weights   | "pissa_niter_4"       | init_lora_weights
                    layer_replication   | [[0, 2]]              | layer_replication
                    target_parameters   | ["weight"]            | target_parameters
                    use_qalora          | true                  | use_qalora
                    trainable_token_indices | [1]               | trainable_token_indices
                    r                   | 77                    | says rank 77
                    rank_pattern        | {"fc1": 55}           | says rank 55
                    alpha_pattern       | {"[": 5}              | no regular expression
                    alpha_pattern       | {"fc1": "a"}          | expected a number
                    use_dora            | true                  | magnitude_vector
                    base_model_name_or_path | "nowhere/at-all"  | --visual
                    base_model_name_or_path | null              | --visual
                    """)
    void whatIsNotReadIsRefusedByName(String key, String value, String words) throws IOException {
        ObjectMapper json = new ObjectMapper();
        renamed("lora", UnaryOperator.identity(), config -> {
            try {
                config.set(key, json.readTree(value));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        requireRefused(words);
    }

    @Test
    void everyTensorHasAPlace() throws IOException {
        renamed("lora", name -> name.replace("fc1.lora_A", "fc9.lora_A"), config -> {});
        requireRefused("has lora_B, expected lora_A, lora_B");
        renamed("lora", name -> name.replace("fc1", "fc9"), config -> {});
        requireRefused("fc9");
        renamed("lora", name -> name.replace("lora_A.weight", "hada_w1_a"), config -> {});
        requireRefused("hada_w1_a");
        renamed("lora", name -> name.replace("base_model.model.", ""), config -> {});
        requireRefused("base_model.model.");
    }

    @Test
    void anAdapterOfAnotherModelIsRefused() throws IOException {
        renamed(
                "lora",
                UnaryOperator.identity(),
                config -> config.put(
                        "base_model_name_or_path",
                        Golden.model("clip-hf-vit").toAbsolutePath().toString()));
        requireRefused("another base");
    }

    private void requireRefused(String words) {
        assertThatThrownBy(() -> ClipCheckpoint.open(temporary).close())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(words)
                .hasMessageNotContaining("\n");
    }

    /** A copy of an adapter with other names and settings, whose base is named by its place. */
    private void renamed(String adapter, UnaryOperator<String> names, Consumer<ObjectNode> edit) throws IOException {
        ObjectNode config = (ObjectNode) CLIP.json(adapter + "/" + CONFIG);
        config.put("base_model_name_or_path", CLIP.file("base").toAbsolutePath().toString());
        edit.accept(config);
        Files.writeString(temporary.resolve(CONFIG), config.toString());
        try (PointerScope scope = new PointerScope();
                TensorSource stored = TensorFile.open(CLIP.file(adapter).resolve(WEIGHTS))) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            stored.tensors()
                    .forEach(info -> tensors.put(
                            names.apply(info.name()), stored.read(info.name()).to(ScalarType.Float)));
            SafetensorsWriter.write(temporary.resolve(WEIGHTS), tensors, Map.of());
        }
    }
}
