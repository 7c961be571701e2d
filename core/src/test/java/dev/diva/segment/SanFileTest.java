package dev.diva.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.pickle.StateDictWriter;
import dev.diva.clip.Clip;
import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.eval.segmentation.ClassNames;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a SAN is refused for, each in a line that names both sides. */
@Tag("golden")
class SanFileTest {
    private static final SanCase BASE = new SanCase("base");

    @TempDir
    private Path temporary;

    private void assertRefused(Path san, Path settings, Path clip, String... parts) {
        try (Clip loaded = Clip.load(clip)) {
            assertThatThrownBy(() -> San.load(san, settings, loaded).close())
                    .isInstanceOf(BadInputException.class)
                    .satisfies(e -> assertThat(e.getMessage()).contains(parts).doesNotContain("\n"));
        }
    }

    @Test
    void anotherClipIsRefusedWithBothNames() {
        Path other = new SanCase("large").clip();
        assertRefused(BASE.san(), BASE.settings(temporary), other, BASE.san().toString(), other.toString());
    }

    /** The same shape and one value that differs: the swap that SAN itself undoes without a word. */
    @ParameterizedTest
    @CsvSource({
        "visual.transformer.resblocks.0.mlp.c_fc.bias, layers.0.mlp.fc1.bias",
        "ln_final.weight, text_model.final_layer_norm.weight",
        "logit_scale, logit_scale"
    })
    void anotherClipOfTheSameShapeIsRefused(String name, String ours) {
        Path changed = temporary.resolve("changed.pt");
        try (PointerScope scope = new PointerScope();
                TensorSource stored = TensorFile.open(BASE.clip())) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            stored.tensors()
                    .forEach(info ->
                            tensors.put(info.name(), stored.read(info.name()).clone()));
            tensors.get(name).view(-1).narrow(0, 0, 1).add_(new Scalar(0.01));
            StateDictWriter.write(changed, tensors);
        }
        assertRefused(BASE.san(), BASE.settings(temporary), changed, "another CLIP", "changed.pt", "differ in", ours);
    }

    @Test
    void siglipIsRefusedWithTheReason() {
        Path siglip = Golden.path("siglip-hf");
        assertRefused(BASE.san(), BASE.settings(temporary), siglip, "SigLIP", "no SAN on it");
    }

    @Test
    void aFileWithoutSanAndSettingsThatDoNotFitAreRefused() throws IOException {
        assertRefused(BASE.clip(), BASE.settings(temporary), BASE.clip(), "no SAN in it");
        assertRefused(BASE.san(), null, BASE.clip(), "no preset", "--san-config");
        String yaml = Files.readString(BASE.settings(temporary));
        Path late = Files.writeString(
                temporary.resolve("late.yaml"), yaml.replaceAll("recognitionLayer: \\d+", "recognitionLayer: 99"));
        assertRefused(BASE.san(), late, BASE.clip(), "late.yaml", "recognitionLayer 99");
        Path wrong = Files.writeString(temporary.resolve("wrong.yaml"), yaml + "queries: many\n");
        assertRefused(BASE.san(), wrong, BASE.clip(), "wrong.yaml", "keys: clipResolution");
    }

    @Test
    void classesGivenTwiceNoneAndEmptyAreRefused() {
        assertThatThrownBy(() -> ClassNames.require(List.of("cat", "Cat"), "here"))
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> ClassNames.require(List.of("a  b", "a\u00a0B"), "here"))
                .hasMessageContaining("twice");
        ClassNames.require(List.of("a b", "ab"), "here");
        assertThatThrownBy(() -> ClassNames.require(List.of(), "here")).hasMessageContaining("no class");
        assertThatThrownBy(() -> ClassNames.require(List.of("cat", " "), "here"))
                .hasMessageContaining("class 2 of 2");
        assertThat(TextClasses.TEMPLATES).hasSize(14);
    }

    /** 1 x 1000 at a long edge of 2560 is 3 x 2560; 1 x 9000 would be nothing. Sizes by detectron2's rule, int(x + 0.5). */
    @Test
    void thinPicturesAreResizedOrRefused() {
        assertThat(SanPixels.size(1000, 1, 640, 2560)).containsExactly(2560, 3);
        RasterImage thin = RasterImage.of(ColorMode.L, 1000, 1, new byte[1000]);
        assertThat(SanPixels.resized(thin, 2560, 3).height()).isEqualTo(3);
        assertThatThrownBy(() -> SanPixels.size(1, 9000, 640, 2560))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("1x9000");
    }

    @Test
    void presetsFitTheirOwnSettings() {
        assertThat(SanPreset.all()).extracting(SanPreset::name).contains("vit-l-14-336", "vit-l-14-224", "vit-b-16");
        for (SanPreset preset : SanPreset.all()) {
            assertThat(preset.settings().fusion()).hasSize(4);
            assertThat(preset.settings().recognitionLayer())
                    .isEqualTo(preset.clip().layers() * 3 / 4);
            assertThat(preset.shape().width() % preset.settings().sideHeads()).isZero();
        }
    }
}
