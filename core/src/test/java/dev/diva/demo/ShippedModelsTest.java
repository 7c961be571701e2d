package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.Weights;
import dev.diva.clip.Clip;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.language.Llama;
import dev.diva.language.LlamaConfig;
import dev.diva.language.LlamaTokenizer;
import dev.diva.world.ConversationSets;
import dev.diva.world.SceneQuestion;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes with the program loads as any other model, stays small, and is checked. */
class ShippedModelsTest {
    private static final long LARGEST = 12_000_000;
    private static final int ASKED = 60;

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

    /** Told in words what a LLaVA is to see, the language model answers; chance is a half. */
    @Test
    void languageModelReadsCaptions() {
        ShippedModels.unpack(folder);
        SceneSampler scenes = new SceneSampler(7, Split.TEST);
        Path llm = folder.resolve("llm");
        int right = 0;
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Weights.frozen(
                        SafetensorsFile.open(llm.resolve("model.safetensors")), Placement.cpu(Precision.FP32));
                LlamaTokenizer tokenizer = LlamaTokenizer.open(llm, LlamaTokenizer.Kind.FAST)) {
            Llama llama = new Llama(weights, LlamaConfig.read(ConfigJson.read(llm.resolve("config.json"))));
            weights.finish();
            assertThat(weights.tensors().values().stream()
                            .mapToLong(Tensor::numel)
                            .sum())
                    .isBetween(500_000L, 1_500_000L);
            for (int i = 0; i < ASKED; i++) {
                Scene asked = scenes.scene(i);
                SceneQuestion question = ConversationSets.questions(asked, scenes.stream("test", i))
                        .get(0);
                long[] ids =
                        tokenizer.encode("USER: " + Captions.full(asked) + "\n" + question.asked() + " ASSISTANT:");
                Tensor hidden = llama.forward(llama.embed(Tensors.of(ids, 1, ids.length)), null);
                long token = Tensors.toLongs(
                        llama.logits(hidden.select(1, ids.length - 1)).argmax())[0];
                right += token == tokenizer.idOf(question.answer()).orElseThrow() ? 1 : 0;
            }
        }
        assertThat(right).isGreaterThan(ASKED * 9 / 10);
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
