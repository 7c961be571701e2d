package dev.diva.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.demo.ShippedModels;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.testing.OneThread;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * What bf16 changes in a micro-batch. On the shipped models, because they are trained: untrained networks amplify every rounding, in
 * PyTorch's autocast as well.
 */
@ExtendWith(OneThread.class)
class Bf16FeedbackTest {
    private static final int SIDE = 48;
    private static final int IMAGES = 8;

    /** Loss of each draw, and all gradients of the tower as one vector. */
    private record Outcome(double[] losses, Tensor gradient) {}

    @Test
    void lossesAreWithinTwoPercentAndTheGradientOfTheTowerPointsTheSameWay(@TempDir Path folder) {
        ShippedModels.unpack(folder);
        try (PointerScope scope = new PointerScope()) {
            Outcome full = outcome(folder, Precision.FP32);
            Outcome half = outcome(folder, Precision.BF16);
            for (int draw = 0; draw < full.losses.length; draw++) {
                assertThat(half.losses[draw]).isCloseTo(full.losses[draw], within(2e-2 * full.losses[draw]));
            }
            assertThat(cosine(half.gradient, full.gradient)).isGreaterThan(0.99);
        }
    }

    private static double cosine(Tensor a, Tensor b) {
        return a.dot(b).item_float() / (a.norm().item_double() * b.norm().item_double());
    }

    private static Outcome outcome(Path folder, Precision precision) {
        Placement placement = Placement.cpu(precision);
        try (VisionModel vision = VisionModel.load(folder.resolve("clip"), placement, TrainedPart.full());
                DiffusionModel teacher = DiffusionModel.load(folder.resolve("diffusion"), placement);
                Projection projection = Projection.random(
                        vision.tower().config().projectionDim(),
                        32 * teacher.denoiser().crossAttentionDim(),
                        1,
                        placement.device())) {
            VisualCondition condition = new VisualCondition(
                    vision.tower(),
                    new RecapSettings("class", 32, null, null, true, "elementwise"),
                    projection,
                    teacher.encodePrompt("a photo of a .")
                            .to(placement.device(), placement.precision().dtype()));
            DenoisingLoss loss = new DenoisingLoss(
                    teacher.denoiser(),
                    teacher.schedule(),
                    new TimestepSampler(400, 800, TimestepSampler.Distribution.UNIFORM, 0, 1));
            TrainingPixels pixels = TrainingPixels.of(false, vision.preprocessing());
            List<RasterImage> images = images();
            TensorVector tower = new TensorVector();
            TensorVector clean = new TensorVector();
            images.forEach(image -> tower.push_back(Tensors.of(pixels.tower(image), 3, SIDE, SIDE)));
            images.forEach(image -> clean.push_back(Tensors.of(pixels.autoencoder(image), 3, SIDE, SIDE)));
            double[] losses = new DiffusionFeedback(
                            condition, loss, null, new DiffusionFeedback.Settings(2, DrawWeights.MEAN, false, false))
                    .backward(
                            torch.stack(tower),
                            teacher.autoencoder().encode(torch.stack(clean)),
                            new RandomStreams(42),
                            1)
                    .values();
            TensorVector gradients = new TensorVector();
            vision.parameters().values().stream()
                    .filter(parameter -> parameter.grad().defined())
                    .forEach(parameter -> gradients.push_back(parameter.grad().flatten()));
            return new Outcome(losses, torch.cat(gradients));
        }
    }

    private static List<RasterImage> images() {
        SceneRenderer renderer = new SceneRenderer(SIDE);
        SceneSampler sampler = new SceneSampler(3, Split.PRETRAIN);
        return IntStream.range(0, IMAGES)
                .mapToObj(i -> RasterImage.of(ColorMode.RGB, SIDE, SIDE, renderer.rgb(sampler.scene(i))))
                .toList();
    }
}
