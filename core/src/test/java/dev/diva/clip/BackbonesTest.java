package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.model.Activation;
import dev.diva.model.RotaryGrid;
import dev.diva.model.TransformerConfig;
import org.junit.jupiter.api.Test;

class BackbonesTest {
    private final VisionConfig huge378 = vision(1280, 32, 378);
    private final VisionConfig huge224 = vision(1280, 32, 224);
    private final VisionConfig large224 = vision(1024, 24, 224);

    @Test
    void shapeAloneDecidesWhereItIsUnique() {
        assertThat(id(huge378, "model")).isEqualTo("dfn-vit-h-14-378");
        assertThat(id(large224, "model")).isEqualTo("openai-vit-l-14");
    }

    @Test
    void nameInThePathTellsTowersOfOneShapeApart() {
        assertThat(id(huge224, "models/MetaCLIP-h14")).isEqualTo("metaclip-vit-h-14");
        assertThat(id(huge224, "models/DFN5B-CLIP-ViT-H-14")).isEqualTo("dfn-vit-h-14");
        assertThat(id(large224, "models/metaclip_l14.pt")).isEqualTo("metaclip-vit-l-14");
    }

    /** A SigLIP B/16 has the numbers of a PE-Core B/16, and LAION's ViT-g those of EVA's. */
    @Test
    void relativesOfClipAreToldFromClipsOfTheirSize() {
        TransformerConfig base = new TransformerConfig(768, 3072, 12, 12, Activation.GELU, 1e-5);
        VisionForm pe = new VisionForm(
                true, false, true, VisionForm.Projection.BIASED, null, new RotaryGrid(14, 14, 1, true), false, null);
        assertThat(id(new VisionConfig(base, 224, 16, VisionConfig.Pooling.MAP, 1024, pe), "model"))
                .isEqualTo("pe-core-b-16");
        VisionConfig siglip = new VisionConfig(base, 224, 16, VisionConfig.Pooling.MAP, 768);
        assertThat(id(siglip, "pe-core")).isEqualTo("siglip-b-16-224");
        assertThat(Backbones.named("pe-core-b-16").analogy()).isTrue();
        assertThat(Backbones.named("openai-vit-l-14").analogy()).isFalse();
    }

    @Test
    void unknownTowerHasNoRow() {
        assertThat(Backbones.of(vision(32, 3, 32), Preprocessing.of(huge224, true), "openai"))
                .isEmpty();
    }

    @Test
    void publishedRecapOfSiglipIsAWindowOfTokens() {
        assertThat(Backbones.named("siglip-so400m-14-384").recap().window()).isEqualTo(10);
        assertThatThrownBy(() -> Backbones.named("openai-vit-l14"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("openai-vit-l-14");
    }

    private static String id(VisionConfig vision, String path) {
        return Backbones.of(vision, Preprocessing.of(vision, true), path)
                .orElseThrow()
                .id();
    }

    private static VisionConfig vision(long width, int layers, long imageSize) {
        TransformerConfig transformer =
                new TransformerConfig(width, 4 * width, layers, width / 8, Activation.QUICK_GELU, 1e-5);
        return new VisionConfig(transformer, imageSize, 14, VisionConfig.Pooling.CLASS_TOKEN, 768);
    }
}
