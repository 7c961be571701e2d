package dev.diva.objective.un2clip;

import static dev.diva.objective.ObjectiveCase.PLACEMENT;
import static dev.diva.objective.ObjectiveCase.draws;
import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.UnclipEmbedding;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.feedback.ConditionLeaf;
import dev.diva.feedback.DdpmNoise;
import dev.diva.feedback.DenoisingLoss;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.feedback.DrawWeights;
import dev.diva.feedback.ImageCondition;
import dev.diva.feedback.NoiseProcess;
import dev.diva.feedback.TimestepSampler;
import dev.diva.objective.ObjectiveCase;
import dev.diva.objective.TowerEmbedding;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import dev.diva.train.Contribution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** un2CLIP's objective against the numbers of diffusers. */
@Tag("golden")
@ExtendWith(OneThread.class)
class Un2ClipTest {
    private static final TimestepSampler ALL = new TimestepSampler(0, 999, TimestepSampler.Distribution.UNIFORM, 0, 1);

    private final ObjectiveCase un2clip = new ObjectiveCase("un2clip");
    private final Golden golden = un2clip.golden();

    @TempDir
    Path folder;

    /** The case has the UNet and how it is told; the rest of the folder is Stable Diffusion 2.1's. */
    @BeforeEach
    void assemble() throws IOException {
        for (String part : new String[] {"vae", "text_encoder", "tokenizer"}) {
            copy(Golden.path("sd21").resolve(part), folder.resolve(part));
        }
        for (String part : new String[] {"unet", "scheduler", "image_normalizer", "image_noising_scheduler"}) {
            copy(golden.file(part), folder.resolve(part));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName().toString()));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"noised", "level_0", "dropped"})
    void whatTheGeneratorIsToldAndWhatItAnswers(String name) {
        try (PointerScope scope = new PointerScope();
                VisionModel vision = vision();
                DiffusionModel generator = DiffusionModel.load(folder, PLACEMENT)) {
            UnclipEmbedding unclip = generator.unclip().orElseThrow();
            Tensor embeds = vision.tower().embeddingOf(un2clip.pixels(vision.preprocessing(), 0));
            assertClose(embeds, golden.expected("image_embeds"), 0, un2clip.tolerance());
            Tensor leaf = embeds.detach().set_requires_grad(true);
            Tensor levels = golden.input("micro.0.noise_level");
            Tensor noise = golden.input("micro.0.embedding_noise");
            boolean isNoised = !name.equals("level_0");
            Tensor vector = unclip.vector(
                    leaf, isNoised ? levels : torch.zeros_like(levels), isNoised ? noise : torch.zeros_like(noise));
            if (name.equals("dropped")) {
                vector = vector.clone();
                vector.select(0, 1).zero_(); // of image 1, as the case tells
            }
            assertClose(vector, golden.expected(name + ".class_labels"), 0, un2clip.tolerance());
            Tensor text = generator.encodePrompt("");
            assertClose(text, golden.expected("text"), 0, un2clip.tolerance());
            Tensor latents = latents(generator, 0);
            assertClose(latents, golden.expected("z0"), 0, un2clip.tolerance());
            Condition told = new Condition(text.expand(latents.size(0), -1, -1), vector);
            NoiseProcess process = new DdpmNoise(generator.schedule(), ALL);
            assertClose(process.noisy(latents, draw(0)), golden.expected("z_t"), 0, un2clip.tolerance());
            assertClose(process.target(latents, draw(0)), golden.expected("v_target"), 0, un2clip.tolerance());
            Tensor predicted = generator.denoiser().predict(golden.expected("z_t"), draw(0).levels(), told);
            assertClose(predicted, golden.expected(name + ".pred"), 0, un2clip.tolerance());
            Tensor loss = new DenoisingLoss(generator.denoiser(), process).of(latents, draw(0), told);
            assertClose(loss, golden.expected(name + ".loss"), 0, un2clip.tolerance());
            loss.backward();
            assertCloseToLargest(leaf.grad(), golden.expected(name + ".dembeds"), 1e-3, 1e-6);
            if (name.equals("noised")) {
                embeds.mul(leaf.grad()).sum().backward();
                un2clip.assertGradients("noised.grad.", vision.parameters());
            }
        }
    }

    /** Three steps of the whole tower. Its condition is the case's, with the levels and noise that the case gives. */
    @Test
    void stepsOfTheWholeTower() {
        try (PointerScope scope = new PointerScope();
                VisionModel vision = vision();
                DiffusionModel generator = DiffusionModel.load(folder, PLACEMENT)) {
            ObjectiveCase.GivenNoise given = new ObjectiveCase.GivenNoise(new DdpmNoise(generator.schedule(), ALL));
            Tensor text = generator.encodePrompt("");
            int[] step = {0};
            ImageCondition condition = new ImageCondition() {
                @Override
                public Encoded encode(Tensor pixels, BatchDraws draws) {
                    Tensor hidden = vision.tower().pooledStates(pixels);
                    Tensor vector = generator
                            .unclip()
                            .orElseThrow()
                            .vector(
                                    vision.tower().embedding(hidden),
                                    golden.input("micro." + step[0] + ".noise_level"),
                                    golden.input("micro." + step[0] + ".embedding_noise"));
                    return new Encoded(hidden, new Condition(text.expand(pixels.size(0), -1, -1), vector));
                }

                @Override
                public void skip(BatchDraws draws) {}
            };
            DiffusionFeedback feedback = new DiffusionFeedback(
                    condition,
                    new DenoisingLoss(generator.denoiser(), given),
                    null,
                    new DiffusionFeedback.Settings(1, DrawWeights.MEAN, false, false));
            ObjectiveCase.Adam adam = un2clip.new Adam(vision.parameters());
            float[] losses = Tensors.toFloats(golden.expected("losses"));
            float[] norms = Tensors.toFloats(golden.expected("total_norm"));
            for (; step[0] < losses.length; step[0]++) {
                NoiseProcess.Draw draw = draw(step[0]);
                given.next(draw.levels(), draw.noise());
                Tensor latents = latents(generator, step[0]);
                double[] loss = feedback.backward(
                                un2clip.pixels(vision.preprocessing(), step[0]),
                                latents,
                                draws(latents.size(0)),
                                Contribution.of(latents.size(0), 1))
                        .values();
                assertThat(loss[0]).isEqualTo(losses[step[0]], within(un2clip.tolerance()));
                assertThat(adam.step()).isEqualTo(norms[step[0]], within(1e-3 * norms[step[0]]));
            }
            un2clip.assertWeights("step3.weight.", vision.parameters());
        }
    }

    /** Without noise the objective's condition is level 0's of the case; drawing and skipping move the stream alike. */
    @Test
    void theObjectiveTellsTheEmbeddingItself() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                VisionModel vision = vision();
                DiffusionModel generator = DiffusionModel.load(folder, PLACEMENT)) {
            TowerEmbedding tower = new TowerEmbedding(vision.tower(), null);
            Tensor text = generator.encodePrompt("");
            Tensor pixels = un2clip.pixels(vision.preprocessing(), 0);
            Condition told = new Un2Clip(generator, EmbeddingNoise.NONE, ALL)
                    .condition(tower, text)
                    .encode(pixels, draws(pixels.size(0)))
                    .condition();
            assertClose(told.vector(), golden.expected("level_0.class_labels"), 0, un2clip.tolerance());
            ImageCondition noisy = new Un2Clip(generator, EmbeddingNoise.GENERATOR, ALL).condition(tower, text);
            RandomStreams one = new RandomStreams(4);
            RandomStreams other = new RandomStreams(4);
            noisy.encode(pixels, new BatchDraws(one.stream("draws"), BatchShard.whole(pixels.size(0))));
            noisy.skip(new BatchDraws(other.stream("draws"), BatchShard.whole(pixels.size(0))));
            assertClose(
                    RandomStreams.randn(one.stream("draws"), 3), RandomStreams.randn(other.stream("draws"), 3), 0, 0);
            assertThat(ConditionLeaf.of(told).cut().tokens().requires_grad()).isFalse();
        }
    }

    @Test
    void aTeacherWithoutClassEmbeddingsAndOneOfAnotherTowerAreRefused() {
        try (PointerScope scope = new PointerScope();
                DiffusionModel plain = DiffusionModel.load(Golden.path("sd21"), PLACEMENT);
                VisionModel siglip = VisionModel.load(Golden.path("siglip-hf"), PLACEMENT, TrainedPart.nothing());
                DiffusionModel generator = DiffusionModel.load(folder, PLACEMENT)) {
            assertThatThrownBy(() -> new Un2Clip(plain, EmbeddingNoise.NONE, ALL))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("un2CLIP needs a Stable unCLIP");
            TowerEmbedding wide = new TowerEmbedding(siglip.tower(), null);
            Un2Clip objective = new Un2Clip(generator, EmbeddingNoise.NONE, ALL);
            assertThatThrownBy(() -> objective.condition(wide, null))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("the tower's embeddings have width " + wide.width());
            Tensor zt = golden.expected("z_t");
            assertThatThrownBy(() -> generator.denoiser().predict(zt, draw(0).levels(), golden.expected("text")))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("and is told none");
            Condition told = new Condition(golden.expected("text"), golden.expected("level_0.class_labels"));
            assertThatThrownBy(() -> plain.denoiser().predict(zt, draw(0).levels(), told))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("the denoiser takes no condition vector");
        }
    }

    @Test
    void aNormalizerOfAnotherWidthIsNamed() throws IOException {
        Path config = folder.resolve("image_normalizer/config.json");
        Files.writeString(config, "{\"_class_name\": \"StableUnCLIPImageNormalizer\", \"embedding_dim\": 7}");
        assertThatThrownBy(() -> DiffusionModel.load(folder, PLACEMENT))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("image_normalizer/config.json embedding_dim 7");
    }

    private static VisionModel vision() {
        return VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.full());
    }

    private Tensor latents(DiffusionModel generator, int k) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            return generator.autoencoder().encode(un2clip.autoencoderPixels(k));
        }
    }

    private NoiseProcess.Draw draw(int k) {
        return new NoiseProcess.Draw(golden.input("micro." + k + ".timesteps"), golden.input("micro." + k + ".noise"));
    }
}
