package dev.diva.feedback;

import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.NameTable;
import dev.diva.checkpoint.format.TranslatedSource;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.data.RasterImage;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Activations;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import dev.diva.testing.TensorMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One micro-batch of the authors' code for each kind of tower, from pixels to gradients. */
class PublishedFeedbackTest {
    private static final Placement PLACEMENT = Golden.placement();

    /** A golden case: its tower, the names of its gradients, and what becomes the condition. */
    record Case(String name, String clip, NameTable names, Function<Golden, RecapSettings> recap) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Case> cases() {
        String openClip = "open_clip-vit-quickgelu/open_clip_model.safetensors";
        String siglip = "siglip-open_clip/open_clip_model.safetensors";
        Function<Golden, RecapSettings> all = golden -> new RecapSettings("all", null, null, null, true, "mean");
        Function<Golden, RecapSettings> share = golden -> new RecapSettings(
                "random", null, golden.told("condition", "int\\(([0-9.]+) \\* patches\\)"), null, true, "mean");
        Function<Golden, RecapSettings> pooled = golden -> new RecapSettings(
                "pooled", null, null, (int) golden.told("condition", "stride = ([0-9]+)"), true, "mean");
        return Stream.of(
                new Case("diva-metaclip-published", openClip, NameTable.OPENAI, all),
                new Case("diva-dfn224-published", openClip, NameTable.OPENAI, all),
                new Case("diva-dfn378-published", openClip, NameTable.OPENAI, share),
                new Case("diva-siglip224-published", siglip, NameTable.TIMM_SIGLIP, pooled),
                new Case("diva-siglip384-published", siglip, NameTable.TIMM_SIGLIP, pooled));
    }

    @Tag("golden")
    @ParameterizedTest
    @MethodSource("cases")
    void stagesLossesAndGradientsAreThoseOfTheAuthors(Case published) {
        Golden golden = Golden.of(published.name);
        try (PointerScope scope = new PointerScope();
                VisionModel vision = VisionModel.load(Golden.path(published.clip), PLACEMENT, TrainedPart.full());
                DiffusionModel teacher = DiffusionModel.load(Golden.path("sd21"), PLACEMENT);
                Projection projection = Projection.load(
                        golden.file("inputs.safetensors"),
                        vision.tower().config().projectionDim(),
                        teacher.denoiser().crossAttentionDim(),
                        PLACEMENT.device())) {
            TrainingPixels pixels = TrainingPixels.of(true, vision.preprocessing());
            List<RasterImage> images = Rasters.of(
                            Golden.of("diva-openai-published").input("images_u8"))
                    .subList(0, Math.toIntExact(golden.input("draw.0.timesteps").size(0)));
            Tensor towerPixels = stacked(images, pixels::tower);
            assertClose(towerPixels, golden.expected("first.clip_pixels"), 0, 1e-5);
            Tensor latents = teacher.autoencoder().encode(stacked(images, pixels::autoencoder));
            VisualCondition condition = new VisualCondition(
                    vision.tower(), published.recap.apply(golden), projection, teacher.encodePrompt("a photo of a ."));
            DenoisingLoss loss = new DenoisingLoss(
                    teacher.denoiser(),
                    teacher.schedule(),
                    new TimestepSampler(0, 999, TimestepSampler.Distribution.UNIFORM, 0, 1));
            firstDraw(golden, condition, loss, towerPixels, latents);
            float[] lossOfEachDraw = Tensors.toFloats(golden.expected("loss_of_each_draw"));
            int draws = lossOfEachDraw.length;
            int accumulation = (int) golden.told("gradient", "accumulation ([0-9]+)");
            DiffusionFeedback feedback = new DiffusionFeedback(
                    condition, loss, null, new DiffusionFeedback.Settings(draws, DrawWeights.PUBLISHED, true, false));
            double[] losses = feedback.backward(towerPixels, latents, streams(), accumulation)
                    .values();
            for (int draw = 0; draw < draws; draw++) {
                assertThat(losses[draw]).isCloseTo(lossOfEachDraw[draw], withinPercentage(1e-3));
            }
            gradients(golden, published.names, vision, projection);
        }
    }

    /** What two runs of a micro-batch leave: the losses of the draws and every gradient. */
    private record Gradients(double[] losses, Map<String, Tensor> byName) {}

    @Test
    void recomputedActivationsGiveTheSameLossesAndGradients() {
        try (PointerScope scope = new PointerScope()) {
            Gradients kept = gradients(Activations.KEPT, 4);
            Gradients recomputed = gradients(Activations.RECOMPUTED, 4);
            assertThat(recomputed.losses).containsExactly(kept.losses);
            assertSame(recomputed.byName, kept.byName, 1e-6);
        }
    }

    @Test
    void drawsThatShareAPassOfTheDenoiserGiveTheSameLossesAndGradients() {
        try (PointerScope scope = new PointerScope()) {
            Gradients together = gradients(Activations.KEPT, 4);
            Gradients apart = gradients(Activations.KEPT, 1);
            for (int draw = 0; draw < 2; draw++) {
                assertThat(together.losses[draw]).isCloseTo(apart.losses[draw], within(1e-6));
            }
            assertSame(together.byName, apart.byName, 1e-5);
        }
    }

    /** Key biases have no gradient in theory: theirs is rounding alone. */
    private static void assertSame(Map<String, Tensor> actual, Map<String, Tensor> expected, double rtol) {
        assertThat(actual).hasSizeGreaterThan(30).containsOnlyKeys(expected.keySet());
        expected.forEach((name, gradient) -> assertCloseToLargest(actual.get(name), gradient, rtol, 1e-8));
    }

    private static Gradients gradients(Activations activations, long latentsAtOnce) {
        Placement placement = new Placement(PLACEMENT.device(), Precision.FP32, activations);
        Golden golden = Golden.resource("diva-openai-published");
        try (VisionModel vision = VisionModel.load(Golden.model("clip-hf-vit"), placement, TrainedPart.full());
                DiffusionModel teacher = DiffusionModel.load(Golden.model("sd21"), placement);
                Projection projection = Projection.random(
                        vision.tower().config().projectionDim(),
                        teacher.denoiser().crossAttentionDim(),
                        1,
                        PLACEMENT.device())) {
            TrainingPixels pixels = TrainingPixels.of(true, vision.preprocessing());
            List<RasterImage> images = Rasters.of(golden.input("images_u8")).subList(0, 2);
            VisualCondition condition = new VisualCondition(
                    vision.tower(),
                    new RecapSettings("all", null, null, null, true, "mean"),
                    projection,
                    teacher.encodePrompt("a photo of a ."));
            DenoisingLoss loss = new DenoisingLoss(
                    teacher.denoiser(),
                    teacher.schedule(),
                    new TimestepSampler(0, 999, TimestepSampler.Distribution.UNIFORM, 0, 1));
            double[] losses = new DiffusionFeedback(
                            condition,
                            loss,
                            null,
                            new DiffusionFeedback.Settings(2, DrawWeights.MEAN, false, false, latentsAtOnce))
                    .backward(
                            stacked(images, pixels::tower),
                            teacher.autoencoder().encode(stacked(images, pixels::autoencoder)),
                            streams(),
                            1)
                    .values();
            Map<String, Tensor> gradients = new LinkedHashMap<>();
            vision.parameters().forEach((name, parameter) -> note(gradients, name, parameter));
            projection.parameters().forEach((name, parameter) -> note(gradients, name, parameter));
            return new Gradients(losses, gradients);
        }
    }

    private static void note(Map<String, Tensor> gradients, String name, Tensor parameter) {
        if (parameter.grad().defined()) {
            gradients.put(name, parameter.grad().clone());
        }
    }

    private static RandomStreams streams() {
        RandomStreams streams = new RandomStreams(42);
        streams.seed(DiffusionFeedback.STREAM, 42);
        return streams;
    }

    private static void firstDraw(
            Golden golden, VisualCondition condition, DenoisingLoss loss, Tensor pixels, Tensor latents) {
        var draws = new BatchDraws(streams().stream(DiffusionFeedback.STREAM), BatchShard.whole(latents.size(0)));
        NoiseProcess.Draw noise = loss.draw(latents, draws);
        assertThat(Tensors.toLongs(noise.levels())).isEqualTo(Tensors.toLongs(golden.input("draw.0.timesteps")));
        assertClose(noise.noise(), golden.input("draw.0.noise"), 0, 1e-6);
        VisualCondition.Stages stages = condition.of(pixels, draws);
        assertClose(stages.recap(), golden.expected("first.visual_tokens"), 0, 1e-4);
        assertClose(stages.condition(), golden.expected("first.context"), 0, 1e-4);
    }

    /** Every gradient that the case holds, and the norm of every one; the key bias has none in theory. */
    private static void gradients(Golden golden, NameTable names, VisionModel vision, Projection projection) {
        Map<String, Tensor> parameters = new LinkedHashMap<>(vision.parameters());
        parameters.putAll(projection.parameters());
        TensorSource expected = TranslatedSource.toOurs(TensorMap.under("grad.", golden.expected()), names);
        for (TensorInfo info : expected.tensors()) {
            assertCloseToLargest(parameters.get(info.name()).grad(), expected.read(info.name()), 1e-3, 1e-6);
        }
        assertThat(expected.tensors()).hasSizeGreaterThan(10);
    }

    /** The images of the first micro-batch, which is as large as that tensor of its draws. */
    static List<RasterImage> firstBatch(Golden golden, String timesteps) {
        return Rasters.of(golden.input("images_u8"))
                .subList(0, Math.toIntExact(golden.input(timesteps).size(0)));
    }

    /** [images, 3, side, side]. */
    static Tensor stacked(List<RasterImage> images, Function<RasterImage, float[]> pixels) {
        TensorVector rows = new TensorVector();
        for (RasterImage image : images) {
            float[] values = pixels.apply(image);
            long side = Math.round(Math.sqrt(values.length / 3.0));
            rows.push_back(Tensors.of(values, 3, side, side));
        }
        return torch.stack(rows);
    }
}
