package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.checkpoint.format.NameTable;
import dev.diva.checkpoint.format.TranslatedSource;
import dev.diva.checkpoint.pickle.StateDictWriter;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Weights of an image tower alone, as un2CLIP publishes them, over a base model. */
@ExtendWith(OneThread.class)
class VisualWeightsTest {
    private static final Path BASE = Golden.model("clip-hf-vit");

    @TempDir
    Path folder;

    @Test
    void theTowerIsTheFilesAndTheTextsAreTheBases() {
        assertRepaired(visual(Map.of()));
    }

    @Test
    void optimizerStatesBesideTheTowerArePassedOver() {
        try (PointerScope scope = new PointerScope()) {
            assertRepaired(visual("state_dict.module.", Map.of(), Map.of("optimizer.exp_avg", torch.zeros(3))));
        }
    }

    private static void assertRepaired(Path file) {
        try (Clip base = Clip.load(BASE);
                Clip repaired = Clip.load(BASE, file, Clip.Options.DEFAULT)) {
            int size = Math.toIntExact(base.config().vision().imageSize());
            float[] pixels = new float[3 * size * size];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) Math.sin(i);
            }
            float[] before = base.encodeImages(List.of(pixels), Clip.Scale.RAW)[0];
            float[] after = repaired.encodeImages(List.of(pixels), Clip.Scale.RAW)[0];
            for (int i = 0; i < before.length; i++) {
                assertThat(after[i])
                        .isEqualTo(2 * before[i], within(1e-5f)); // the file's projection is twice the base's
            }
            assertThat(repaired.textTower()).isEqualTo(base.textTower());
        }
    }

    @Test
    void aFileOfWhichNotEveryKeyFitsIsRefusedAsAWhole() {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> missing = new LinkedHashMap<>();
            missing.put("ln_post.bias", null);
            assertRefused(visual(missing), "missing vision_model.post_layernorm.bias");
            assertRefused(visual(Map.of("extra.weight", torch.zeros(2))), "unused visual.extra.weight");
            assertRefused(visual(Map.of("ln_post.bias", torch.zeros(3))), "vision_model.post_layernorm.bias");
        }
    }

    @Test
    void aloneItIsNoModelAndSaysHowToUseIt() {
        Path file = visual(Map.of());
        assertThatThrownBy(() -> Clip.load(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(file + ": an image tower alone")
                .hasMessageContaining("--visual");
        assertThatThrownBy(() -> Clip.load(BASE, BASE.resolve("model.safetensors"), Clip.Options.DEFAULT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("no image tower alone in it");
    }

    private static void assertRefused(Path file, String problem) {
        assertThatThrownBy(() -> Clip.load(BASE, file, Clip.Options.DEFAULT))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(file + ": is not the image tower of ")
                .hasMessageContaining(problem)
                .hasMessageEndingWith("; nothing was loaded");
    }

    /** The base's own tower by OpenAI's names without their prefix, its projection doubled; null leaves a tensor out. */
    private Path visual(Map<String, Tensor> changes) {
        return visual("", changes, Map.of());
    }

    /** The same with something before every name, and other tensors beside it. */
    private Path visual(String wrapper, Map<String, Tensor> changes, Map<String, Tensor> beside) {
        Path file = folder.resolve("openai_vit.ckpt");
        try (PointerScope scope = new PointerScope();
                ClipCheckpoint base = ClipCheckpoint.open(BASE)) {
            TensorSource openai = TranslatedSource.fromOurs(base.tensors(), NameTable.OPENAI);
            Map<String, Tensor> tower = new LinkedHashMap<>();
            openai.tensors().forEach(info -> {
                if (info.name().startsWith("visual.")) {
                    tower.put(info.name().substring("visual.".length()), openai.read(info.name()));
                }
            });
            tower.computeIfPresent(
                    "proj", (name, value) -> value.mul(new Scalar(2)).contiguous());
            changes.forEach((name, value) -> {
                tower.remove(name);
                if (value != null) {
                    tower.put(name, value);
                }
            });
            Map<String, Tensor> all = new LinkedHashMap<>(beside);
            tower.forEach((name, value) -> all.put(wrapper + name, value));
            StateDictWriter.write(file, all);
        }
        return file;
    }
}
