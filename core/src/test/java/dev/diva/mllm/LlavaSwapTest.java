package dev.diva.mllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.RasterImage;
import dev.diva.language.Generation;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A written LLaVA answers as the old one that sees with the new tower. */
@Tag("golden")
@ExtendWith(OneThread.class)
class LlavaSwapTest {
    private static final Golden HF = Golden.of("llava-hf");
    private static final Golden ORIGINAL = Golden.of("llava-original");

    @TempDir
    Path folder;

    @Test
    void hubFolderHoldsTheTowerUnderThePublishedNames() throws IOException {
        Path tower = otherTower();
        Path out = folder.resolve("out");
        LlavaSwap.Written written = LlavaSwap.write(HF.file("gqa"), tower, null, out, null, false);
        assertThat(written).isEqualTo(new LlavaSwap.Written(LlavaConfig.Layout.HF, Dtype.F32, List.of()));
        assertThat(answer(out, null)).isEqualTo(answer(HF.file("gqa"), tower.toString()));
        try (SafetensorsFile file = SafetensorsFile.open(out.resolve("model.safetensors"))) {
            assertThat(file.tensors())
                    .allMatch(info -> info.dtype() == Dtype.F32)
                    .extracting(TensorInfo::name)
                    .allMatch(name -> name.matches("(language_model|multi_modal_projector|vision_tower)\\..*"))
                    .contains("language_model.lm_head.weight", "language_model.model.norm.weight");
        }
        assertThat(json(out.resolve("config.json")).path("torch_dtype").asText())
                .isEqualTo("float32");
    }

    @Test
    void typeIsKeptWhereItHoldsTheTowerAndOnRequest() throws IOException {
        Path exact = folder.resolve("exact");
        LlavaSwap.Written kept = LlavaSwap.write(HF.file("mha"), ORIGINAL.file("clip"), null, exact, null, false);
        assertThat(kept.dtype()).isEqualTo(Dtype.F16);
        LlavaSwap.Written asked =
                LlavaSwap.write(HF.file("mha"), otherTower(), null, folder.resolve("asked"), Dtype.BF16, false);
        assertThat(asked.dtype()).isEqualTo(Dtype.BF16);
        assertThat(answer(exact, null))
                .isEqualTo(answer(HF.file("mha"), ORIGINAL.file("clip").toString()));
    }

    @Test
    void authorsFolderNamesTheTowerThatLiesInIt() throws IOException {
        Path tower = otherTower();
        for (String model : List.of("released", "self-trained")) {
            Path out = folder.resolve(model);
            LlavaSwap.write(ORIGINAL.file(model), tower, null, out, null, false);
            assertThat(answer(out, null)).isEqualTo(answer(ORIGINAL.file(model), tower.toString()));
            assertThat(json(out.resolve("config.json")).path("mm_vision_tower").asText())
                    .isEqualTo(out.resolve("vision_tower").toString());
            try (LlavaFolder written = LlavaFolder.open(out, null)) {
                assertThat(written.hasInnerTower()).isFalse();
            }
            LlavaSwap.write(
                    ORIGINAL.file(model),
                    tower,
                    null,
                    out,
                    null,
                    true); // its own folder is replaced, subfolder included
            Path mine = Files.writeString(out.resolve("vision_tower/mine.txt"), "mine");
            assertThatThrownBy(() -> LlavaSwap.write(ORIGINAL.file(model), tower, null, out, null, true))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("mine.txt");
            assertThat(mine).hasContent("mine");
        }
    }

    @Test
    void towerThatTheProjectorWasNotMadeForIsRefusedAndNothingIsLeft() throws IOException {
        Path tower = ORIGINAL.file("clip");
        for (String key : List.of("hidden_size", "image_size")) {
            Path llava = copied(HF.file("mha"), "changed-" + key);
            ObjectNode config = json(llava.resolve("config.json"));
            ObjectNode vision = (ObjectNode) config.path("vision_config");
            vision.put(key, 2 * vision.path(key).asLong());
            new ObjectMapper().writeValue(llava.resolve("config.json").toFile(), config);
            Files.delete(llava.resolve("preprocessor_config.json")); // which tells the size too
            Path out = folder.resolve("out-" + key);
            assertThatThrownBy(() -> LlavaSwap.write(llava, tower, null, out, null, false))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(key.equals("hidden_size") ? "width" : "image tokens");
            assertThat(out).doesNotExist();
        }
    }

    /** The golden CLIP with other values, in fp32. */
    private Path otherTower() throws IOException {
        Path tower = copied(ORIGINAL.file("clip"), "tower");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file =
                        SafetensorsFile.open(ORIGINAL.file("clip").resolve("model.safetensors"))) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            for (TensorInfo info : file.tensors()) {
                tensors.put(
                        info.name(), file.read(info.name()).to(ScalarType.Float).mul(new Scalar(0.9)));
            }
            SafetensorsWriter.write(tower.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        }
        return tower;
    }

    private Path copied(Path from, String name) throws IOException {
        Path to = Files.createDirectories(folder.resolve(name));
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
                to.resolve(file.getFileName()).toFile().setWritable(true);
            }
        }
        return to;
    }

    private static ObjectNode json(Path file) throws IOException {
        return (ObjectNode) new ObjectMapper().readTree(file.toFile());
    }

    private static Answer answer(Path llava, String tower) {
        Path file = HF.file("images/1.png");
        RasterImage picture =
                ImageDecoder.reference().decode(ImageEntry.of(file).read(), file.toString());
        String prompt = PromptTemplate.VICUNA_V1.ask("Is there a dog?", true);
        try (PointerScope scope = new PointerScope();
                Llava model = Llava.load(llava, Llava.Options.DEFAULT.withTower(tower));
                ImageTokens image = model.image(picture, ImageAspect.PAD)) {
            return model.answer(prompt, image, Generation.greedy(12));
        }
    }
}
