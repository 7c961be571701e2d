package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes with the program loads as any other model, stays small, and is checked. */
class ShippedModelsTest {
    private static final long LARGEST = 12_000_000;

    @TempDir
    Path folder;

    @Test
    void modelsFitEachOtherAndAreSmall() throws IOException {
        ShippedModels.unpack(folder);
        long bytes = 0;
        for (String name : ShippedModels.sums().keySet()) {
            bytes += Files.size(folder.resolve(name));
        }
        assertThat(bytes).isLessThan(LARGEST);
        try (Clip clip = Clip.load(folder.resolve("clip"));
                DiffusionModel teacher =
                        DiffusionModel.load(folder.resolve("diffusion"), Placement.cpu(Precision.FP32))) {
            assertThat(clip.preprocessing().imageSize()).isEqualTo(48);
            assertThat(teacher.denoiser().crossAttentionDim())
                    .isEqualTo(clip.config().text().transformer().transformer().hiddenSize());
            float[] text = clip.encodeTexts(java.util.List.of("a photo of a red cup by the sea"))[0];
            double norm = 0;
            for (float value : text) {
                norm += value * value;
            }
            assertThat(norm).isCloseTo(1, within(1e-5));
        }
    }

    @Test
    void alteredFileIsRefusedByName() throws IOException {
        ShippedModels.unpack(folder);
        Path weights = folder.resolve("clip/model.safetensors");
        byte[] content = Files.readAllBytes(weights);
        content[content.length - 1] ^= 1;
        Files.write(weights, content, StandardOpenOption.TRUNCATE_EXISTING);
        assertThatThrownBy(() -> ShippedModels.unpack(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("model.safetensors")
                .hasMessageContaining("was altered");
    }
}
