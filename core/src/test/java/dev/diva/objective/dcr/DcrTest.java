package dev.diva.objective.dcr;

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
import dev.diva.data.Box;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.NoiseConfig;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.Tensors;
import dev.diva.feedback.ConditionLeaf;
import dev.diva.feedback.DdpmNoise;
import dev.diva.feedback.NoiseProcess;
import dev.diva.feedback.TimestepSampler;
import dev.diva.objective.MlpProjector;
import dev.diva.objective.ObjectiveCase;
import dev.diva.objective.TowerEmbedding;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import dev.diva.testing.Rasters;
import dev.diva.train.Contribution;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** DCR against the numbers of the authors' code. */
@Tag("golden")
@ExtendWith(OneThread.class)
class DcrTest {
    private final ObjectiveCase dcr = new ObjectiveCase("dcr");
    private final Golden golden = dcr.golden();

    @Test
    void theEmptyPromptDoesNotSeeItsPadding() {
        try (PointerScope scope = new PointerScope();
                DiffusionModel teacher = DiffusionModel.load(Golden.path("sd21"), PLACEMENT)) {
            assertClose(teacher.encodeMaskedPrompt(""), golden.expected("first.uc_emb"), 0, dcr.tolerance());
            assertClose(teacher.encodePrompt(""), golden.expected("uc_emb_without_mask"), 0, dcr.tolerance());
        }
    }

    /** Predictions of the case into both terms, for both targets. */
    @ParameterizedTest
    @CsvSource({"epsilon, V_PREDICTION", "noise_target, EPSILON"})
    void bothTermsOfTheLossAreThoseOfTheAuthors(String name, NoiseConfig.Prediction target) {
        try (PointerScope scope = new PointerScope()) {
            NoiseProcess.Draw draw = draw(0);
            Tensor latents = golden.expected("first.x_1");
            Tensor wanted = process(target).target(latents, draw);
            assertClose(wanted, golden.expected(name + ".target"), 0, 1e-5);
            assertClose(
                    process(target).noisy(latents, draw), golden.expected("first.noisy_latents"), 0, dcr.tolerance());
            ContrastiveLoss.Terms terms = new ContrastiveLoss(0.1)
                    .of(golden.expected("first.pred"), golden.expected("first.pred_plus"), wanted);
            assertClose(terms.ofPlus(), golden.expected(name + ".loss_pos_pred"), 0, dcr.tolerance());
            assertClose(terms.ofTarget(), golden.expected(name + ".loss_pos_gt"), 0, dcr.tolerance());
            assertClose(terms.loss(), golden.expected(name + ".loss"), 0, dcr.tolerance());
        }
    }

    @ParameterizedTest
    @CsvSource({"epsilon, V_PREDICTION, 1", "epsilon, V_PREDICTION, 5", "noise_target, EPSILON, 100"})
    void gradientsOfConditionsAndProjectorAreThoseOfTheAuthors(
            String name, NoiseConfig.Prediction target, int latentsAtOnce) {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(
                        VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.nothing()), true)) {
            DcrFeedback feedback = stage.feedback(process(target), latentsAtOnce);
            Tensor latents = stage.latents(0);
            assertClose(latents, golden.expected("first.x_1"), 0, dcr.tolerance());
            long rows = latents.size(0);
            Tensor views = torch.cat(
                    new TensorVector(dcr.pixels(stage.vision.preprocessing(), 0), golden.input("micro.0.augmented")),
                    0);
            ConditionLeaf leaf =
                    ConditionLeaf.of(stage.condition.encode(views, draws(rows)).condition());
            Tensor told = leaf.cut().tokens();
            double loss = feedback.judge(latents, draw(0), leaf.cut(), 1).values()[0];
            assertThat(loss).isEqualTo(golden.expected(name + ".loss").item_float(), within(dcr.tolerance()));
            assertCloseToLargest(told.grad().narrow(0, 0, rows), golden.expected(name + ".dvec"), 1e-3, 1e-6);
            assertCloseToLargest(told.grad().narrow(0, rows, rows), golden.expected(name + ".dvec_plus"), 1e-3, 1e-6);
            leaf.link().backward();
            dcr.assertGradients(name + ".grad.", stage.projector.parameters());
            assertThat(feedback.ownShare().values()[0]).isBetween(0.0, 1.0);
        }
    }

    /** The two passes against plain back-propagation through all predictions at once, on the same draws. */
    @Test
    void memoryOfOneChunkGivesTheSameGradient() {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(
                        VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.nothing()), true)) {
            NoiseProcess process = process(NoiseConfig.Prediction.V_PREDICTION);
            Tensor latents = stage.latents(0);
            long rows = latents.size(0);
            Tensor text = golden.expected("first.uc_emb");
            Tensor own = text.add(golden.expected("first.vec").narrow(1, 0, 1))
                    .detach()
                    .set_requires_grad(true);
            Tensor plus = text.add(golden.expected("first.vec_plus").narrow(1, 0, 1))
                    .detach()
                    .set_requires_grad(true);
            stage.feedback(process, 2)
                    .judge(latents, draw(0), Condition.of(torch.cat(new TensorVector(own, plus), 0)), 1);
            Tensor first = own.grad().clone();
            Tensor second = plus.grad().clone();
            own.grad().zero_();
            plus.grad().zero_();
            stage.plain(process, latents, draw(0), own, plus, rows).backward();
            assertCloseToLargest(first, own.grad(), 1e-5, 0);
            assertCloseToLargest(second, plus.grad(), 1e-5, 0);
        }
    }

    @Test
    void firstStageTrainsTheProjector() {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(
                        VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.nothing()), true)) {
            stage.train("stage1", stage.projector.parameters());
            dcr.assertWeights("stage1.step1.weight.", stage.projector.parameters());
        }
    }

    @Test
    void secondStageTrainsTheAdapters() {
        try (PointerScope scope = new PointerScope();
                Stage stage = new Stage(dcr.withAdapters(), false)) {
            assertThat(stage.projector.parameters()).isEmpty();
            stage.train("stage2", stage.vision.parameters());
            dcr.assertWeights("stage2.step3.merged.", dcr.merged(stage.vision));
            Tensor pixels = ObjectiveCase.normalised(golden.input("images_u8"), stage.vision.preprocessing());
            assertClose(
                    stage.vision.tower().embeddingOf(pixels), golden.expected("eval.image_embeds"), 0, dcr.tolerance());
        }
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "2"})
    void secondViewIsThatOfTheAuthors(int k) {
        try (PointerScope scope = new PointerScope()) {
            String name = "augment." + k + ".";
            Tensor image = golden.input(name + "image");
            int side = Math.toIntExact(image.size(-1));
            float[] planes = Tensors.toFloats(image);
            ColorJitter jitter = jitter(name);
            jitter.apply(planes);
            assertClose(planes, Tensors.toFloats(golden.expected(name + "jittered")), 0, 1e-5);
            long[] flips = Tensors.toLongs(golden.input(name + "flips"));
            long[] box = Tensors.toLongs(golden.input(name + "box"));
            SecondView view = new SecondView(
                    jitter, flips[0] == 1, flips[1] == 1, new Box((int) box[0], (int) box[1], (int) box[2], (int)
                            box[3]));
            assertClose(
                    view.ofNormalised(Tensors.toFloats(image), side),
                    Tensors.toFloats(golden.expected(name + "result")),
                    0,
                    1e-5);
        }
    }

    @Test
    void brightnessClampsWhatIsNormalised() {
        try (PointerScope scope = new PointerScope()) {
            float[] ramp = Tensors.toFloats(golden.input("augment.ramp"));
            new ColorJitter(List.of(0), List.of(1.05)).apply(ramp);
            assertClose(ramp, Tensors.toFloats(golden.expected("augment.ramp_brightness_1.05")), 0, 1e-6);
        }
    }

    /** A change that changes nothing gives the same bytes; a drawn one stays near them where the authors' way cuts half away. */
    @Test
    void theRightWayChangesBytes() {
        try (PointerScope scope = new PointerScope()) {
            var image = Rasters.of(golden.input("images_u8")).get(0);
            ColorJitter nothing = new ColorJitter(List.of(0, 1, 2, 3), List.of(1.0, 1.0, 1.0, 0.0));
            SecondView same = new SecondView(nothing, false, false, image.bounds());
            assertThat(same.of(image).samples()).isEqualTo(image.samples());
            SecondView turned = new SecondView(nothing, true, true, image.bounds());
            assertThat(turned.of(turned.of(image)).samples()).isEqualTo(image.samples());
            assertThat(turned.of(image).samples()).isNotEqualTo(image.samples());
            SecondView drawn = SecondView.draw(new java.util.Random(3), image.width());
            assertThat(drawn.box().width()).isBetween(image.width() * 8 / 10, image.width());
            assertThat(SecondView.draw(new java.util.Random(3), image.width())).isEqualTo(drawn);
        }
    }

    @Test
    void oneImageAloneIsRefused() {
        assertThatThrownBy(() -> DcrFeedback.requireBatch(1))
                .isInstanceOf(BadInputException.class)
                .hasMessage("DCR compares the images of a micro-batch with each other, and has a batch of 1; set"
                        + " train.batch to 2 or more (the authors: 16)");
    }

    private ColorJitter jitter(String name) {
        List<Integer> order = Arrays.stream(Tensors.toLongs(golden.input(name + "order")))
                .mapToObj(Math::toIntExact)
                .toList();
        Tensor factors = golden.input(name + "factors");
        List<Double> values = order.stream()
                .sorted()
                .map(i -> factors.select(0, i).item_double())
                .toList();
        return new ColorJitter(order, values);
    }

    private NoiseProcess.Draw draw(int k) {
        return new NoiseProcess.Draw(golden.input("micro." + k + ".timesteps"), golden.input("micro." + k + ".noise"));
    }

    /** The authors' script makes its own schedule; which target it takes is a key. */
    private static NoiseProcess process(NoiseConfig.Prediction target) {
        NoiseSchedule schedule = new NoiseSchedule(NoiseConfig.scaledLinear(1000, 0.00085, 0.012, target));
        return new DdpmNoise(schedule, new TimestepSampler(0, 999, TimestepSampler.Distribution.UNIFORM, 0, 1));
    }

    /** Tower, teacher and projector of the case. */
    private final class Stage implements AutoCloseable {
        private final VisionModel vision;
        private final DiffusionModel teacher = DiffusionModel.load(Golden.path("sd21"), PLACEMENT);
        private final MlpProjector projector;
        private final DcrCondition condition;

        Stage(VisionModel vision, boolean learns) {
            this.vision = vision;
            TowerEmbedding tower = new TowerEmbedding(vision.tower(), null);
            this.projector = MlpProjector.load(
                    golden.file("inputs.safetensors"),
                    "project_clip",
                    tower.width(),
                    teacher.denoiser().crossAttentionDim(),
                    PLACEMENT.device(),
                    learns);
            this.condition = new DcrCondition(tower, projector, teacher.encodeMaskedPrompt(""));
        }

        DcrFeedback feedback(NoiseProcess process, int latentsAtOnce) {
            return new DcrFeedback(
                    condition, teacher.denoiser(), process, new ContrastiveLoss(0.1), null, latentsAtOnce);
        }

        Tensor latents(int k) {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                return teacher.autoencoder()
                        .encode(dcr.autoencoderPixels(k), golden.input("micro." + k + ".posterior_noise"));
            }
        }

        /** The loss with everything in one graph, pair by pair. */
        Tensor plain(NoiseProcess process, Tensor latents, NoiseProcess.Draw draw, Tensor own, Tensor plus, long rows) {
            Tensor noisy = process.noisy(latents, draw);
            TensorVector columns = new TensorVector();
            for (long j = 0; j < rows; j++) {
                Tensor same = own.narrow(0, j, 1).expand(rows, -1, -1);
                columns.push_back(teacher.denoiser().predict(noisy, draw.levels(), same));
            }
            Tensor all = torch.stack(columns, 1);
            Tensor second = teacher.denoiser().predict(noisy, draw.levels(), plus);
            return new ContrastiveLoss(0.1)
                    .of(all, second, process.target(latents, draw))
                    .loss();
        }

        void train(String name, Map<String, Tensor> parameters) {
            ObjectiveCase.GivenNoise given = new ObjectiveCase.GivenNoise(process(NoiseConfig.Prediction.V_PREDICTION));
            DcrFeedback feedback = feedback(given, 4);
            ObjectiveCase.Adam adam = dcr.new Adam(parameters);
            float[] losses = Tensors.toFloats(golden.expected(name + ".losses"));
            float[] norms = Tensors.toFloats(golden.expected(name + ".total_norm"));
            List<Integer> batches = dcr.microBatches(name);
            for (int i = 0; i < batches.size(); i++) {
                int k = batches.get(i);
                Tensor latents = latents(k);
                given.next(golden.input("micro." + k + ".timesteps"), golden.input("micro." + k + ".noise"));
                double[] loss = feedback.backward(
                                dcr.pixels(vision.preprocessing(), k),
                                golden.input("micro." + k + ".augmented"),
                                latents,
                                draws(latents.size(0)),
                                Contribution.of(latents.size(0), dcr.accumulation()))
                        .values();
                assertThat(loss[0]).isEqualTo(losses[i], within(dcr.tolerance()));
                if ((i + 1) % dcr.accumulation() == 0) {
                    int step = i / dcr.accumulation();
                    if (step == 0) {
                        dcr.assertGradients(name + ".step0.grad.", parameters);
                    }
                    assertThat(adam.step()).isEqualTo(norms[step], within(1e-3 * norms[step]));
                }
            }
        }

        @Override
        public void close() {
            projector.close();
            teacher.close();
            vision.close();
        }
    }
}
