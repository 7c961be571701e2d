package dev.diva.clip;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.model.TransformerConfig;
import dev.diva.testing.Golden;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both towers from transformers' folders against the numbers of transformers. */
class HuggingFaceTowersTest {
    @Tag("golden")
    @ParameterizedTest
    @ValueSource(strings = {"clip-hf-vit", "clip-hf-vit-gelu"})
    void clipVisionTowerEqualsTransformersLayerByLayer(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = weights(golden, Precision.FP32)) {
            VisionTower tower = new VisionTower(weights, config(golden).vision());
            Tensor pixels = golden.input("pixel_values");
            List<Tensor> states = tower.hiddenStates(pixels);
            assertThat(states).hasSize(1 + config(golden).vision().transformer().numHiddenLayers());
            for (int i = 0; i < states.size(); i++) {
                assertClose(states.get(i), golden.expected("vision.hidden." + i), 0, golden.tolerance());
            }
            Tensor hidden = tower.encode(pixels);
            assertClose(tower.normed(hidden), golden.expected("vision.tokens_normed"), 0, golden.tolerance());
            assertClose(tower.tokens(hidden).all(), golden.expected("vision.tokens_projected"), 0, golden.tolerance());
            assertClose(tower.embedding(hidden), golden.expected("image_embeds"), 0, golden.tolerance());
        }
    }

    @Tag("golden")
    @ParameterizedTest
    @ValueSource(strings = {"clip-hf-vit", "clip-hf-vit-gelu"})
    void clipTextTowerEqualsTransformers(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = weights(golden, Precision.FP32)) {
            TextTower tower = new TextTower(weights, config(golden).text());
            Tensor ids = golden.input("input_ids");
            List<Tensor> states = tower.transformer().hiddenStates(ids);
            for (int i = 0; i < states.size(); i++) {
                Tensor expected = golden.expected("text.hidden." + i); // of the first positions alone
                assertClose(states.get(i).narrow(1, 0, expected.size(1)), expected, 0, golden.tolerance());
            }
            assertClose(
                    tower.transformer().forward(ids), golden.expected("text.last_hidden_state"), 0, golden.tolerance());
            assertClose(tower.embedding(ids), golden.expected("text_embeds"), 0, golden.tolerance());
        }
    }

    @Tag("golden")
    @Test
    void siglipTowersEqualTransformers() {
        Golden golden = Golden.of("siglip-hf");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = weights(golden, Precision.FP32)) {
            VisionTower vision = new VisionTower(weights, config(golden).vision());
            TextTower text = new TextTower(weights, config(golden).text());
            List<Tensor> states = vision.hiddenStates(golden.input("pixel_values"));
            for (int i = 0; i < states.size(); i++) {
                assertClose(states.get(i), golden.expected("vision.hidden." + i), 0, golden.tolerance());
            }
            VisionTokens tokens = vision.tokens(states.get(states.size() - 1));
            assertClose(tokens.patches(), golden.expected("vision.tokens_normed"), 0, golden.tolerance());
            assertClose(tokens.pooled(), golden.expected("vision.pooled"), 0, golden.tolerance());
            assertClose(
                    text.transformer().forward(golden.input("input_ids")),
                    golden.expected("text.last_hidden_state"),
                    0,
                    golden.tolerance());
            assertClose(
                    text.embedding(golden.input("input_ids")), golden.expected("text.pooled"), 0, golden.tolerance());
        }
    }

    @Test
    void oneImageGivesItsRowOfTheBatch() {
        Golden golden = Golden.resource("clip-hf-vit");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = weights(golden, Precision.FP32)) {
            VisionTower tower = new VisionTower(weights, config(golden).vision());
            Tensor pixels = golden.input("pixel_values");
            Tensor all = tower.embedding(tower.encode(pixels.narrow(0, 0, 3)));
            Tensor one = tower.embedding(tower.encode(pixels.narrow(0, 1, 1)));
            assertClose(one, all.narrow(0, 1, 1), 0, 1e-6);
        }
    }

    @Test
    void bf16StaysClose() {
        Golden golden = Golden.resource("clip-hf-vit");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = weights(golden, Precision.BF16)) {
            VisionTower tower = new VisionTower(weights, config(golden).vision());
            TextTower text = new TextTower(weights, config(golden).text());
            Tensor image = tower.embeddingOf(golden.input("pixel_values"));
            assertThat(distance(image, golden.expected("image_embeds"))).isLessThan(3e-2); // 2.3e-2 measured
            assertThat(distance(text.embedding(golden.input("input_ids")), golden.expected("text_embeds")))
                    .isLessThan(3e-2);
        }
    }

    @Test
    void everyTrainedWeightOfTheTowerGetsAGradient() {
        Golden golden = Golden.resource("clip-hf-vit");
        try (PointerScope scope = new PointerScope();
                Weights weights = Weights.trained(
                        source(golden), Placement.cpu(Precision.BF16), name -> !name.startsWith("text_model"))) {
            VisionTower tower = new VisionTower(weights, config(golden).vision());
            tower.tokens(tower.encode(golden.input("pixel_values")))
                    .all()
                    .square()
                    .mean()
                    .backward();
            assertThat(weights.parameters()).hasSize(56);
            weights.parameters().forEach((key, parameter) -> {
                assertThat(parameter.grad().defined()).as(key).isTrue();
                assertThat(parameter.grad().norm().item_float())
                        .as(key)
                        .isFinite()
                        .isNotNegative();
            });
            assertThat(weights.parameters()
                            .get("vision_model.embeddings.patch_embedding.weight")
                            .grad()
                            .norm()
                            .item_float())
                    .isPositive();
        }
    }

    @Test
    void configThatDisagreesWithTensorsListsThem() {
        Golden golden = Golden.resource("clip-hf-vit");
        VisionConfig right = config(golden).vision();
        TransformerConfig layers = right.transformer();
        TransformerConfig wider = new TransformerConfig(
                layers.hiddenSize(), 128, layers.numHiddenLayers(), 4, layers.activation(), layers.layerNormEps());
        try (PointerScope scope = new PointerScope();
                Weights weights = weights(golden, Precision.FP32)) {
            new VisionTower(weights, new VisionConfig(wider, 32, 8, right.pooling(), 24));
            assertThatThrownBy(weights::finish)
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(
                            "vision_model.encoder.layers.0.mlp.fc1.weight is [64, 32], expected [128, 32]");
        }
    }

    /** Length of the difference relative to that of the expected; single values of so narrow a tower are off by more. */
    private static double distance(Tensor actual, Tensor expected) {
        return actual.to(ScalarType.Float).sub(expected).norm().item_float()
                / expected.norm().item_float();
    }

    private static ClipConfig config(Golden golden) {
        return HuggingFaceConfig.of(ConfigJson.read(golden.file("config.json")));
    }

    private static Weights weights(Golden golden, Precision precision) {
        return Weights.frozen(source(golden), Golden.placement().with(precision));
    }

    private static SafetensorsFile source(Golden golden) {
        return SafetensorsFile.open(golden.file("model.safetensors"));
    }
}
