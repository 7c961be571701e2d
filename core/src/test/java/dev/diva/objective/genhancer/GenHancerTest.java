package dev.diva.objective.genhancer;

import static dev.diva.objective.ObjectiveCase.PLACEMENT;
import static dev.diva.objective.ObjectiveCase.draws;
import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AdapterDropout;
import dev.diva.checkpoint.LowRank;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.diffusion.AutoencoderModel;
import dev.diva.diffusion.Condition;
import dev.diva.engine.DropoutMask;
import dev.diva.engine.Tensors;
import dev.diva.feedback.ConditionLeaf;
import dev.diva.feedback.DenoisingLoss;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.feedback.DrawWeights;
import dev.diva.feedback.ImageCondition;
import dev.diva.feedback.LogitNormalLevels;
import dev.diva.feedback.NoiseProcess;
import dev.diva.feedback.RectifiedFlow;
import dev.diva.objective.MlpProjector;
import dev.diva.objective.ObjectiveCase;
import dev.diva.objective.TowerEmbedding;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import dev.diva.train.Contribution;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** GenHancer's stages against the numbers of the authors' code. */
@Tag("golden")
@ExtendWith(OneThread.class)
class GenHancerTest {
    private final ObjectiveCase genhancer = new ObjectiveCase("genhancer");
    private final Golden golden = genhancer.golden();
    private final LogitNormalLevels levels =
            new LogitNormalLevels(0, genhancer.json().path("scale_factor").asDouble());
    private final RectifiedFlow flow = new RectifiedFlow(levels);

    @ParameterizedTest
    @ValueSource(strings = {"ae.safetensors", "vae"})
    void bothLayoutsOfTheAutoencoderGiveTheLatentsOfTheAuthors(String file) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                AutoencoderModel model = AutoencoderModel.load(golden.file(file), PLACEMENT)) {
            Tensor pixels = genhancer.autoencoderPixels(0);
            var posterior = model.autoencoder().posterior(pixels);
            assertClose(posterior.mean(), golden.expected("first.latent_mean"), 0, genhancer.tolerance());
            assertClose(posterior.logVariance(), golden.expected("first.latent_logvar"), 0, genhancer.tolerance());
            Tensor sample = model.autoencoder().encode(pixels, golden.input("micro.0.posterior_noise"));
            assertClose(patches(sample), golden.expected("first.x_1"), 0, genhancer.tolerance());
            assertThat(model.autoencoder().decode(sample).shape()).isEqualTo(pixels.shape());
        }
    }

    @Test
    void firstMicroBatchInTheOpen() {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(TrainedPart.nothing(), true)) {
            Tensor latents = stage.latents(0);
            NoiseProcess.Draw draw =
                    new NoiseProcess.Draw(levels.of(golden.input("micro.0.t_normal")), stage.noise(0, latents));
            assertClose(draw.levels(), golden.expected("first.t"), 0, 1e-6);
            assertClose(patches(flow.noisy(latents, draw)), golden.expected("first.x_t"), 0, genhancer.tolerance());
            assertClose(patches(flow.target(latents, draw)), golden.expected("first.target"), 0, genhancer.tolerance());
            ImageCondition.Encoded encoded = stage.genHancer
                    .condition(stage.tower)
                    .encode(genhancer.pixels(stage.vision.preprocessing(), 0), draws(latents.size(0)));
            ConditionLeaf leaf = ConditionLeaf.of(encoded.condition());
            Condition told = leaf.cut();
            assertClose(told.tokens(), golden.expected("first.txt"), 0, genhancer.tolerance());
            assertClose(told.vector(), golden.expected("first.vec"), 0, genhancer.tolerance());
            Tensor loss = new DenoisingLoss(stage.genHancer.model().denoiser(), flow).of(latents, draw, told);
            assertClose(loss, golden.expected("first.loss"), 0, genhancer.tolerance());
            loss.backward();
            assertCloseToLargest(told.tokens().grad(), golden.expected("first.dtxt"), 1e-3, 1e-6);
            assertCloseToLargest(told.vector().grad(), golden.expected("first.dvec"), 1e-3, 1e-6);
        }
    }

    @Test
    void firstStageTrainsDenoiserAndProjectors() {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(TrainedPart.nothing(), true)) {
            assertThat(stage.vision.parameters()).isEmpty();
            stage.train("stage1", stage.genHancer.parameters());
            genhancer.assertWeights("stage1.step1.weight.", stage.genHancer.parameters());
        }
    }

    @Test
    void secondStageTrainsAdaptersAndAllElse() {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(genhancer.withAdapters(), true)) {
            Map<String, Tensor> all = new LinkedHashMap<>(stage.vision.parameters());
            all.putAll(stage.genHancer.parameters());
            stage.train("stage2_all", all);
            genhancer.assertWeights("stage2_all.step1.weight.", all);
        }
    }

    @Test
    void secondStageTrainsAdaptersAlone() {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(genhancer.withAdapters(), false)) {
            assertThat(stage.genHancer.parameters()).isEmpty();
            stage.train("stage2_only", stage.vision.parameters());
            genhancer.assertWeights("stage2_only.step3.merged.", genhancer.merged(stage.vision));
            Tensor pixels = ObjectiveCase.normalised(golden.input("images_u8"), stage.vision.preprocessing());
            assertClose(
                    stage.vision.tower().embeddingOf(pixels),
                    golden.expected("eval.image_embeds"),
                    0,
                    genhancer.tolerance());
        }
    }

    @Test
    void siglipIsToldOfByItsPooledEmbedding() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                VisionModel siglip = VisionModel.load(Golden.path("siglip-hf"), PLACEMENT, TrainedPart.nothing());
                MlpProjector vector = projector(
                        "siglip.project_clip", golden.expected("siglip.vec").size(-1));
                MlpProjector token = projector(
                        "siglip.project_t5", golden.expected("siglip.txt").size(-1))) {
            Tensor pixels = golden.input("siglip.images_u8")
                    .to(ScalarType.Float)
                    .div(new Scalar(127.5))
                    .sub(new Scalar(1));
            TowerEmbedding tower = new TowerEmbedding(siglip.tower(), null);
            long rows = pixels.size(0);
            assertClose(
                    tower.of(pixels, draws(rows)).embedding(),
                    golden.expected("siglip.class_token"),
                    0,
                    genhancer.tolerance());
            Condition told = new GenHancerCondition(tower, vector, token)
                    .encode(pixels, draws(rows))
                    .condition();
            assertClose(told.vector(), golden.expected("siglip.vec"), 0, genhancer.tolerance());
            assertClose(told.tokens(), golden.expected("siglip.txt"), 0, genhancer.tolerance());
        }
    }

    private MlpProjector projector(String name, long out) {
        long in = golden.expected("siglip.class_token").size(-1);
        return MlpProjector.load(golden.file("inputs.safetensors"), name, in, out, PLACEMENT.device(), false);
    }

    /** y = W x + b + scale B A (keep x / 0.9), with the dropout of 0.1 and the scale of 6/3 that the case tells. */
    @Test
    void anAdapterWithDropoutAndBiasIsThatOfPeft() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = golden.input("lora_layer.x");
            Tensor keep = golden.input("lora_layer.keep");
            Tensor down = golden.input("lora_layer.A").clone().set_requires_grad(true);
            Tensor up = golden.input("lora_layer.B").clone().set_requires_grad(true);
            Tensor bias = golden.input("lora_layer.b").clone().set_requires_grad(true);
            DropoutMask mask = new DropoutMask(bits(keep.reshape(x.size(0), -1)), 0.1);
            Tensor y =
                    new LowRank(down, up, 6.0 / 3, input -> mask).forward(x, golden.input("lora_layer.W"), bias, null);
            assertClose(y, golden.expected("lora_layer.y"), 0, 1e-5);
            y.square().sum().backward();
            assertCloseToLargest(down.grad(), golden.expected("lora_layer.dA"), 1e-5, 1e-6);
            assertCloseToLargest(up.grad(), golden.expected("lora_layer.dB"), 1e-5, 1e-6);
            assertCloseToLargest(bias.grad(), golden.expected("lora_layer.db"), 1e-5, 1e-6);
        }
    }

    /** Of flags [rows, numbers], a word for 64 of a row. */
    private static Tensor bits(Tensor flags) {
        int rows = Math.toIntExact(flags.size(0));
        int words = Math.toIntExact((flags.size(1) + Long.SIZE - 1) / Long.SIZE);
        long[] bits = new long[rows * words];
        for (int row = 0; row < rows; row++) {
            float[] numbers = Tensors.toFloats(flags.select(0, row));
            for (int i = 0; i < numbers.length; i++) {
                bits[row * words + i / Long.SIZE] |= (long) numbers[i] << i;
            }
        }
        return Tensors.of(bits, rows, words);
    }

    @Test
    void theSecondStageReadsWhatTheFirstHasWritten(@TempDir Path folder) {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(TrainedPart.nothing(), true)) {
            stage.genHancer.write(folder);
            long width = stage.tower.width();
            try (GenHancer frozen = GenHancer.load(folder, width, PLACEMENT, false);
                    GenHancer learning = GenHancer.load(folder, width, PLACEMENT, true)) {
                assertThat(frozen.parameters()).isEmpty();
                learning.parameters()
                        .forEach((name, value) -> assertClose(
                                value.detach(),
                                stage.genHancer.parameters().get(name).detach(),
                                0,
                                0));
            }
            assertThatThrownBy(() -> GenHancer.load(folder, width + 1, PLACEMENT, false))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("it was trained with another tower or denoiser");
            assertThatThrownBy(() -> GenHancer.load(folder.resolve("none"), width, PLACEMENT, false))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("expected the denoiser that the first stage of GenHancer has trained");
        }
    }

    /** The same rows drop the same, in whichever batch; the others keep their mean; nothing is dropped outside of a batch. */
    @Test
    void dropoutFollowsFromTheSeedsOfTheRows() {
        AdapterDropout dropout = new AdapterDropout(0.25);
        LowRank.Plan plan = new LowRank.Plan(
                2,
                2,
                TrainedPart.layersNamed(java.util.Set.of("fc1")),
                new dev.diva.engine.RandomStreams(5).stream("lora"),
                false,
                dropout);
        try (PointerScope scope = new PointerScope();
                VisionModel vision =
                        VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.adapters(plan))) {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                vision.parameters().forEach((name, value) -> {
                    if (name.endsWith("lora_B.weight")) {
                        value.fill_(new Scalar(0.3));
                    }
                });
                Tensor pixels = genhancer.pixels(vision.preprocessing(), 0).narrow(0, 0, 2);
                Tensor whole = vision.tower().encode(pixels);
                dropout.begin(Tensors.of(new long[] {7, 8}, 2));
                Tensor dropped = vision.tower().encode(pixels);
                assertClose(vision.tower().encode(pixels), dropped, 0, 0);
                dropout.begin(Tensors.of(new long[] {8}, 1));
                Tensor second = vision.tower().encode(pixels.narrow(0, 1, 1));
                assertClose(second, dropped.narrow(0, 1, 1), 0, 1e-5);
                dropout.end();
                assertClose(vision.tower().encode(pixels), whole, 0, 0);
                assertThat(dropped.sub(whole).abs().max().item_float()).isGreaterThan(1e-3f);
            }
        }
    }

    private static Tensor patches(Tensor latents) {
        long[] s = latents.shape();
        return latents.reshape(s[0], s[1], s[2] / 2, 2, s[3] / 2, 2)
                .permute(0, 2, 4, 1, 3, 5)
                .reshape(s[0], -1, 4 * s[1]);
    }

    /** Tower, autoencoder, denoiser and projectors of the case. */
    private final class Stage implements AutoCloseable {
        private final VisionModel vision;
        private final TowerEmbedding tower;
        private final GenHancer genHancer;
        private final AutoencoderModel autoencoder = AutoencoderModel.load(golden.file("vae"), PLACEMENT);

        Stage(TrainedPart part, boolean learns) {
            this(VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, part), learns);
        }

        Stage(VisionModel vision, boolean learns) {
            this.vision = vision;
            this.tower = new TowerEmbedding(vision.tower(), null);
            this.genHancer = GenHancer.load(
                    golden.file("denoiser.safetensors"),
                    golden.file("inputs.safetensors"),
                    tower.width(),
                    PLACEMENT,
                    learns);
        }

        Tensor latents(int k) {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                return autoencoder
                        .autoencoder()
                        .encode(genhancer.autoencoderPixels(k), golden.input("micro." + k + ".posterior_noise"));
            }
        }

        Tensor noise(int k, Tensor latents) {
            long[] s = latents.shape();
            return golden.input("micro." + k + ".noise")
                    .reshape(s[0], s[2] / 2, s[3] / 2, s[1], 2, 2)
                    .permute(0, 3, 1, 4, 2, 5)
                    .reshape(s);
        }

        /** All steps of a stage: losses, norms and first gradients must be those of the case. */
        void train(String name, Map<String, Tensor> parameters) {
            ObjectiveCase.GivenNoise given = new ObjectiveCase.GivenNoise(flow);
            DiffusionFeedback feedback = genHancer.feedback(
                    tower, given, null, new DiffusionFeedback.Settings(1, DrawWeights.MEAN, false, false));
            ObjectiveCase.Adam adam = genhancer.new Adam(parameters);
            float[] losses = Tensors.toFloats(golden.expected(name + ".losses"));
            float[] norms = Tensors.toFloats(golden.expected(name + ".total_norm"));
            List<Integer> batches = genhancer.microBatches(name);
            for (int i = 0; i < batches.size(); i++) {
                int k = batches.get(i);
                Tensor latents = latents(k);
                given.next(levels.of(golden.input("micro." + k + ".t_normal")), noise(k, latents));
                double[] loss = feedback.backward(
                                genhancer.pixels(vision.preprocessing(), k),
                                latents,
                                draws(latents.size(0)),
                                Contribution.of(latents.size(0), genhancer.accumulation()))
                        .values();
                assertThat(loss[0]).isEqualTo(losses[i], within(genhancer.tolerance()));
                if ((i + 1) % genhancer.accumulation() == 0) {
                    int step = i / genhancer.accumulation();
                    if (step == 0 && !name.equals("stage2_all")) {
                        genhancer.assertGradients(name + ".step0.grad.", parameters);
                    }
                    assertThat(adam.step()).isEqualTo(norms[step], within(1e-3 * norms[step]));
                }
            }
        }

        @Override
        public void close() {
            autoencoder.close();
            genHancer.close();
            vision.close();
        }
    }
}
