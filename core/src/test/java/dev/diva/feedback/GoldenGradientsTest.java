package dev.diva.feedback;

import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.NameTable;
import dev.diva.checkpoint.format.TranslatedSource;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.data.RasterImage;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.Placement;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import dev.diva.testing.TensorMap;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Gradients of one micro-batch beyond the published presets: a single draw, all tokens, and the class token alone. */
class GoldenGradientsTest {
    private static final Placement PLACEMENT = Golden.placement();
    private static final String PROMPT = "a photo of a .";

    @Tag("golden")
    @Test
    void oneDrawOfTheAuthorsCodeIsItsPlainGradient() {
        Golden golden = Golden.of("diva-openai-published");
        int locals = Math.toIntExact(golden.input("draw.00.token_indices").size(1));
        RecapSettings recap = new RecapSettings("random", locals, null, null, true, "elementwise");
        try (PointerScope scope = new PointerScope();
                Models models = new Models(golden.file("clip.pt"), golden)) {
            TrainingPixels pixels = TrainingPixels.of(true, models.vision.preprocessing());
            List<RasterImage> images = PublishedFeedbackTest.firstBatch(golden, "draw.00.timesteps");
            DiffusionFeedback feedback = new DiffusionFeedback(
                    models.condition(recap),
                    models.loss(),
                    null,
                    new DiffusionFeedback.Settings(1, DrawWeights.PUBLISHED, true, false));
            RandomStreams streams = new RandomStreams(42);
            streams.seed(DiffusionFeedback.STREAM, 42);
            Tensor latents =
                    models.teacher.autoencoder().encode(PublishedFeedbackTest.stacked(images, pixels::autoencoder));
            double[] losses = feedback.backward(
                            PublishedFeedbackTest.stacked(images, pixels::tower), latents, streams, 1)
                    .values();
            float[] loss = {(float) losses[0]};
            assertClose(loss, Tensors.toFloats(golden.expected("single.loss")), 1e-5, 0);
            models.assertGradients(
                    TranslatedSource.toOurs(TensorMap.under("single.grad.", golden.expected()), NameTable.OPENAI));
        }
    }

    @Tag("golden")
    @Test
    void allTokensGiveTheGradientOfTheMeanOfTheDraws() {
        Golden golden = Golden.of("diva-corrected");
        RecapSettings recap = new RecapSettings("all", null, null, null, true, "mean");
        try (PointerScope scope = new PointerScope();
                Models models = new Models(Golden.path("clip-hf-vit"), golden)) {
            TrainingPixels pixels = TrainingPixels.of(false, models.vision.preprocessing());
            List<RasterImage> images = PublishedFeedbackTest.firstBatch(golden, "micro.0.draw.0.timesteps");
            Tensor latents =
                    models.teacher.autoencoder().encode(PublishedFeedbackTest.stacked(images, pixels::autoencoder));
            BatchDraws none = new BatchDraws(new RandomStreams(1).stream("draws"), BatchShard.whole(images.size()));
            Tensor condition = models.condition(recap)
                    .of(PublishedFeedbackTest.stacked(images, pixels::tower), none)
                    .condition();
            TensorVector losses = new TensorVector();
            Tensor lossOfEachDraw = golden.expected("all_tokens.loss_of_each_draw");
            for (long draw = 0; draw < lossOfEachDraw.numel(); draw++) {
                String name = "micro.0.draw." + draw;
                NoiseProcess.Draw noise =
                        new NoiseProcess.Draw(golden.input(name + ".timesteps"), golden.input(name + ".noise"));
                losses.push_back(models.loss().of(latents, noise, condition));
            }
            Tensor both = torch.stack(losses);
            assertClose(both, lossOfEachDraw, 1e-5, 0);
            both.mean().backward();
            models.assertGradients(TensorMap.under("all_tokens.grad.", golden.expected()));
        }
    }

    /** Condition token j is the mean of the prompt plus rows jW to (j+1)W of the projection applied to the pooled token. */
    @Test
    void theClassTokenAloneBecomesSeveralTokensByItsClosedForm() {
        int count = 3;
        int width = 8;
        RecapSettings recap = new RecapSettings("class", count, null, null, true, "mean");
        try (PointerScope scope = new PointerScope();
                VisionModel vision = VisionModel.load(Golden.model("clip-hf-vit"), PLACEMENT, TrainedPart.full());
                Projection projection = Projection.random(
                        vision.tower().config().projectionDim(), (long) count * width, 5, PLACEMENT.device())) {
            Tensor text = torch.arange(new Scalar(5f * width), new TensorOptions(ScalarType.Float))
                    .div(new Scalar(10))
                    .view(1, 5, width)
                    .sin();
            int size = Math.toIntExact(vision.tower().config().imageSize());
            Tensor pixels = torch.arange(new Scalar(2f * 3 * size * size), new TensorOptions(ScalarType.Float))
                    .view(2, 3, size, size)
                    .sin();
            RandomStreams streams = new RandomStreams(3);
            BatchDraws draws = new BatchDraws(streams.stream("draws"), BatchShard.whole(2));
            VisualCondition.Stages stages =
                    new VisualCondition(vision.tower(), recap, projection, text).of(pixels, draws);
            Tensor pooled = vision.tower().tokens(vision.tower().encode(pixels)).pooled();
            assertClose(stages.recap(), pooled.unsqueeze(1), 1e-6, 1e-6);
            float[] tokens = Tensors.toFloats(pooled.detach());
            float[] weight = Tensors.toFloats(
                    projection.parameters().get("visual_proj.weight").detach());
            float[] bias = Tensors.toFloats(
                    projection.parameters().get("visual_proj.bias").detach());
            float[] prompt = Tensors.toFloats(text.to(torch.kFloat()).mean(1));
            int in = tokens.length / 2;
            float[] expected = new float[2 * count * width];
            for (int row = 0; row < expected.length; row++) {
                int out = row % (count * width);
                double sum = bias[out] + prompt[out % width];
                for (int k = 0; k < in; k++) {
                    sum += (double) weight[out * in + k] * tokens[row / (count * width) * in + k];
                }
                expected[row] = (float) sum;
            }
            assertThat(stages.condition().shape()).containsExactly(2, count, width);
            assertClose(Tensors.toFloats(stages.condition().detach()), expected, 1e-5, 1e-6);
            Tensor next = RandomStreams.randn(streams.stream("draws"), 4);
            assertClose(next, RandomStreams.randn(new RandomStreams(3).stream("draws"), 4), 0, 0); // nothing was drawn
        }
    }

    /** A trained tower, the teacher and the projection of a golden case. */
    private static final class Models implements AutoCloseable {
        private final VisionModel vision;
        private final DiffusionModel teacher;
        private final Projection projection;

        Models(Path clip, Golden golden) {
            vision = VisionModel.load(clip, PLACEMENT, TrainedPart.full());
            teacher = DiffusionModel.load(Golden.path("sd21"), PLACEMENT);
            projection = Projection.load(
                    golden.file("inputs.safetensors"),
                    vision.tower().config().projectionDim(),
                    teacher.denoiser().crossAttentionDim(),
                    PLACEMENT.device());
        }

        VisualCondition condition(RecapSettings recap) {
            return new VisualCondition(vision.tower(), recap, projection, teacher.encodePrompt(PROMPT));
        }

        DenoisingLoss loss() {
            return new DenoisingLoss(
                    teacher.denoiser(),
                    teacher.schedule(),
                    new TimestepSampler(0, 999, TimestepSampler.Distribution.UNIFORM, 0, 1));
        }

        void assertGradients(TensorSource expected) {
            Map<String, Tensor> parameters = new LinkedHashMap<>(vision.parameters());
            parameters.putAll(projection.parameters());
            assertThat(expected.tensors()).isNotEmpty();
            for (TensorInfo info : expected.tensors()) {
                assertCloseToLargest(parameters.get(info.name()).grad(), expected.read(info.name()), 1e-3, 1e-6);
            }
        }

        @Override
        public void close() {
            projection.close();
            teacher.close();
            vision.close();
        }
    }
}
