package dev.diva.cli;

import static dev.diva.objective.ObjectiveCase.PLACEMENT;
import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.data.Mix;
import dev.diva.data.RasterImage;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.AutoencoderModel;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.NoiseConfig;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.diffusion.flux.FluxConfig;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.feedback.DdpmNoise;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.feedback.DrawWeights;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.feedback.LogitNormalLevels;
import dev.diva.feedback.NoiseProcess;
import dev.diva.feedback.RectifiedFlow;
import dev.diva.feedback.TimestepSampler;
import dev.diva.feedback.TrainingPixels;
import dev.diva.objective.MlpProjector;
import dev.diva.objective.ObjectiveCase;
import dev.diva.objective.TowerEmbedding;
import dev.diva.objective.dcr.ContrastiveLoss;
import dev.diva.objective.dcr.DcrCondition;
import dev.diva.objective.dcr.DcrFeedback;
import dev.diva.objective.dcr.SecondView;
import dev.diva.objective.genhancer.GenHancer;
import dev.diva.objective.un2clip.EmbeddingNoise;
import dev.diva.objective.un2clip.Un2Clip;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import dev.diva.testing.Rasters;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole steps of GenHancer, DCR and un2CLIP through the command line, on the models, images, optimizer and adapters of the golden cases.
 * The cases store their draws, the command line makes its own: so the expected losses, norms and weights come from the classes that {@code
 * GenHancerTest}, {@code DcrTest} and {@code Un2ClipTest} compare with the authors' numbers on stored draws, fed here with draws that are
 * made anew as docs/training.md describes them.
 */
@Tag("golden")
@ExtendWith(OneThread.class)
class TrainMethodsGoldenTest {
    private static final int STEPS = 2;
    private static final long SEED = 42;
    private static final Set<String> ADAPTED =
            Set.of("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "visual_projection");

    @TempDir
    private Path folder;

    /** Adds the gradient of micro-batch k, and gives its loss, then the penalty of a guard. */
    private interface MicroBatch {
        Losses backward(int k);
    }

    @ParameterizedTest
    @ValueSource(strings = {"embeddingNoise=none", "embeddingNoise=generator", "latents=shuffled", "guard.weight=0.5"})
    void un2Clip(String assignment) throws IOException {
        Case un2clip = new Case("un2clip", 1);
        Path unclip = new TrainRuns(folder).unclip();
        Path out = un2clip.train("un2clip", unclip, "trainable.mode=full", assignment);
        try (PointerScope scope = new PointerScope();
                VisionModel vision = VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.full());
                VisionModel untouched = un2clip.frozen();
                DiffusionModel generator = DiffusionModel.load(unclip, PLACEMENT)) {
            EmbeddingNoise noise = assignment.endsWith("generator") ? EmbeddingNoise.GENERATOR : EmbeddingNoise.NONE;
            DiffusionFeedback feedback = new Un2Clip(generator, noise, all(1000))
                    .feedback(
                            new TowerEmbedding(vision.tower(), null),
                            generator.encodePrompt(""),
                            guard(assignment, vision, untouched),
                            one());
            Generator draws = torch.make_generator_cpu(SEED);
            un2clip.assertSteps(
                    out,
                    vision.parameters(),
                    k -> feedback.backward(
                            un2clip.tower(vision, k),
                            judged(assignment, un2clip.latents(generator.autoencoder(), k, false)),
                            un2clip.draws(draws),
                            un2clip.contribution()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2"})
    void dcr(String stage) throws IOException {
        Case dcr = new Case("dcr", 1);
        boolean first = stage.equals("1");
        Path out = first
                ? dcr.train("dcr-published", Golden.path("sd21"), "stage=1")
                : dcr.train("dcr-published", Golden.path("sd21"), dcr.given("projectors"));
        try (PointerScope scope = new PointerScope();
                VisionModel vision = first ? dcr.frozen() : dcr.adapted();
                DiffusionModel teacher = DiffusionModel.load(Golden.path("sd21"), PLACEMENT)) {
            TowerEmbedding tower = new TowerEmbedding(vision.tower(), null);
            long width = teacher.denoiser().crossAttentionDim();
            MlpProjector projector = first
                    ? MlpProjector.random("project_clip", tower.width(), width, SEED, PLACEMENT.device())
                    : MlpProjector.load(dcr.inputs(), "project_clip", tower.width(), width, PLACEMENT.device(), false);
            DcrFeedback feedback = new DcrFeedback(
                    new DcrCondition(tower, projector, teacher.encodeMaskedPrompt("")),
                    teacher.denoiser(),
                    new DdpmNoise(
                            new NoiseSchedule(NoiseConfig.scaledLinear(
                                    1000, 0.00085, 0.012, NoiseConfig.Prediction.V_PREDICTION)),
                            all(1000)),
                    new ContrastiveLoss(0.1),
                    null,
                    dcr.batch);
            Generator draws = torch.make_generator_cpu(SEED);
            dcr.assertSteps(
                    out,
                    first ? projector.parameters() : vision.parameters(),
                    k -> feedback.backward(
                            dcr.tower(vision, k),
                            dcr.secondViews(vision, k),
                            dcr.latents(teacher.autoencoder(), k, true),
                            dcr.draws(draws),
                            dcr.contribution()));
            projector.close();
        }
    }

    /** Stage 1 makes its denoiser, so that of the case enters in stage 2: frozen, and learning. */
    @ParameterizedTest
    @ValueSource(strings = {"denoiser.learns=false", "denoiser.learns=true", "latents=shuffled", "guard.weight=0.5"})
    void genHancersSecondStage(String assignment) throws IOException {
        Case genhancer = new Case("genhancer", 16);
        boolean learns = assignment.endsWith("true");
        Path out = genhancer.train(
                "genhancer-published",
                genhancer.file(learns ? "vae" : "ae.safetensors"),
                "stage1=" + Golden.path("genhancer"),
                genhancer.given("projectors"),
                assignment,
                "levels.std=" + genhancer.json().path("scale_factor"));
        try (PointerScope scope = new PointerScope();
                VisionModel vision = genhancer.adapted()) {
            TowerEmbedding tower = new TowerEmbedding(vision.tower(), null);
            try (GenHancer made = GenHancer.load(
                    genhancer.file("denoiser.safetensors"), genhancer.inputs(), tower.width(), PLACEMENT, learns)) {
                genhancer.assertFlow(
                        assignment,
                        out,
                        vision,
                        made,
                        genhancer.json().path("scale_factor").asDouble());
            }
        }
    }

    @Test
    void genHancersFirstStage() throws IOException {
        Case genhancer = new Case("genhancer", 16);
        Path out = genhancer.train(
                "genhancer-published",
                genhancer.file("vae"),
                "stage=1",
                "denoiser.width=32",
                "denoiser.heads=2",
                "denoiser.double=1",
                "denoiser.single=1");
        try (PointerScope scope = new PointerScope();
                VisionModel vision = genhancer.frozen()) {
            long width = new TowerEmbedding(vision.tower(), null).width();
            long channels = genhancer.golden.input("micro.0.noise").size(2) / 4; // of patches of 2 x 2
            FluxConfig config = FluxConfig.of(channels, 768, 4096, 32, 2, 1, 1);
            try (GenHancer made = GenHancer.random(config, width, SEED, PLACEMENT)) {
                genhancer.assertFlow("", out, vision, made, 1);
            }
        }
    }

    private static EmbeddingGuard guard(String assignment, VisionModel vision, VisionModel untouched) {
        return assignment.startsWith("guard")
                ? new EmbeddingGuard(
                        vision.tower(),
                        untouched.tower(),
                        Double.parseDouble(assignment.substring(assignment.indexOf('=') + 1)),
                        null)
                : null;
    }

    /** The control judges an image by the latent of the one before it. */
    private static Tensor judged(String assignment, Tensor latents) {
        return assignment.endsWith("shuffled") ? latents.roll(new long[] {1}, new long[] {0}) : latents;
    }

    private static TimestepSampler all(int timesteps) {
        return new TimestepSampler(0, timesteps - 1, TimestepSampler.Distribution.UNIFORM, 0, 1);
    }

    private static DiffusionFeedback.Settings one() {
        return new DiffusionFeedback.Settings(1, DrawWeights.MEAN, false, false);
    }

    /** A golden case as a run of the command line and as the steps that the run should make. */
    private final class Case {
        private final ObjectiveCase objective;
        private final Golden golden;
        private final List<RasterImage> images;
        private final int side;
        private final int batch;
        private final int accumulate;

        /** @param multiple of the side of the crops */
        Case(String name, int multiple) {
            this.objective = new ObjectiveCase(name);
            this.golden = objective.golden();
            this.batch = Math.toIntExact(golden.input("micro.0.noise").size(0));
            this.accumulate = objective.accumulation();
            Tensor all = golden.input("vae_images_u8");
            this.side = Math.toIntExact(Math.min(all.size(2), all.size(3))) / multiple * multiple;
            this.images = Rasters.of(all.narrow(2, 0, side).narrow(3, 0, side));
        }

        JsonNode json() {
            return objective.json();
        }

        Path file(String name) {
            return golden.file(name);
        }

        Path inputs() {
            return file("inputs.safetensors");
        }

        String given(String key) {
            return key + "=" + inputs();
        }

        Path train(String preset, Path diffusion, String... more) throws IOException {
            Path pictures = Files.createDirectory(folder.resolve("pictures"));
            Rasters.write(images, pictures);
            Path out = folder.resolve("run");
            List<String> arguments = new ArrayList<>(List.of("train", "--preset", preset, "--out", out.toString()));
            arguments.addAll(List.of("--clip", Golden.path("clip-hf-vit").toString()));
            arguments.addAll(List.of("--diffusion", diffusion.toString(), "--images", pictures.toString()));
            JsonNode optimizer = json().path("optimizer");
            List<String> assignments = new ArrayList<>(Arrays.asList(more));
            assignments.addAll(List.of(
                    "resolution=" + side,
                    "shuffle=false",
                    "crop={scale: [1, 1], ratio: [1, 1]}",
                    "precision=fp32",
                    "threads=1",
                    "seed=" + SEED,
                    "trainable.dropout=0",
                    "train.steps=" + STEPS,
                    "train.batch=" + batch,
                    "train.accumulate=" + accumulate,
                    "train.lr=" + optimizer.path("lr"),
                    "train.betas=" + optimizer.path("betas"),
                    "train.eps=" + optimizer.path("eps"),
                    "train.weightDecay=" + optimizer.path("weight_decay"),
                    "train.maxGradNorm=" + optimizer.path("max_grad_norm"),
                    "train.warmupSteps=0",
                    "checkpoint={every: 1, keep: 9}"));
            if (json().has("lora")) {
                assignments.add("trainable.rank=" + json().path("lora").path("rank"));
                assignments.add("trainable.alpha=" + json().path("lora").path("alpha"));
            }
            assignments.forEach(assignment -> arguments.addAll(List.of("--set", assignment)));
            TrainRuns.Outcome outcome = TrainRuns.run(arguments.toArray(String[]::new));
            assertThat(outcome.code()).as(outcome.err()).isZero();
            return out;
        }

        VisionModel frozen() {
            return VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.nothing());
        }

        /** With adapters whose first values come from the stream {@code lora} of the seed. */
        VisionModel adapted() {
            LowRank.Plan plan = new LowRank.Plan(
                    json().path("lora").path("rank").asInt(),
                    json().path("lora").path("alpha").asDouble(),
                    TrainedPart.layersNamed(ADAPTED),
                    new RandomStreams(SEED).stream("lora"),
                    true,
                    null);
            return VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.adapters(plan));
        }

        Contribution contribution() {
            return Contribution.of(batch, accumulate);
        }

        BatchDraws draws(Generator generator) {
            return new BatchDraws(generator, BatchShard.whole(batch));
        }

        private RasterImage image(int position) {
            return images.get(position % images.size());
        }

        Tensor tower(VisionModel vision, int k) {
            TensorVector rows = new TensorVector();
            for (int i = 0; i < batch; i++) {
                rows.push_back(pixels(vision, towerPixels(vision, image(k * batch + i))));
            }
            return torch.stack(rows);
        }

        private static float[] towerPixels(VisionModel vision, RasterImage image) {
            return TrainingPixels.of(false, vision.preprocessing()).tower(image);
        }

        private static Tensor pixels(VisionModel vision, float[] planes) {
            long size = vision.tower().config().imageSize();
            return Tensors.of(planes, 3, size, size);
        }

        /** The authors' second view: of pixels that are normalised already. */
        Tensor secondViews(VisionModel vision, int k) {
            int size = Math.toIntExact(vision.tower().config().imageSize());
            TensorVector rows = new TensorVector();
            for (int i = 0; i < batch; i++) {
                int position = k * batch + i;
                float[] planes = towerPixels(vision, image(position));
                rows.push_back(pixels(
                        vision, SecondView.draw(random(1, position), size).ofNormalised(planes, size)));
            }
            return torch.stack(rows);
        }

        /** For an image in an epoch. */
        private RandomGenerator random(long purpose, int position) {
            return RandomGeneratorFactory.of("L64X128MixRandom")
                    .create(Mix.of(purpose, SEED, position / images.size(), position % images.size()));
        }

        /** @param sampled from the posterior, or its mean */
        Tensor latents(Autoencoder autoencoder, int k, boolean sampled) {
            TensorVector rows = new TensorVector();
            try (NoGradGuard noGrad = new NoGradGuard()) {
                for (int i = 0; i < batch; i++) {
                    int position = k * batch + i;
                    Tensor bytes = torch.stack(new TensorVector(golden.input("vae_images_u8")
                            .select(0, position % images.size())
                            .narrow(1, 0, side)
                            .narrow(2, 0, side)));
                    Tensor seen = bytes.to(torch.ScalarType.Float)
                            .div(new Scalar(127.5))
                            .sub(new Scalar(1));
                    if (!sampled) {
                        rows.push_back(autoencoder.encode(seen).squeeze(0));
                        continue;
                    }
                    long[] shape = autoencoder.posterior(seen).mean().shape();
                    Generator noise = new RandomStreams(random(2, position).nextLong()).stream("posterior");
                    rows.push_back(autoencoder
                            .encode(seen, RandomStreams.randn(noise, shape))
                            .squeeze(0));
                }
            }
            return torch.stack(rows);
        }

        /** GenHancer's steps, of either stage. */
        void assertFlow(String assignment, Path out, VisionModel vision, GenHancer made, double std)
                throws IOException {
            Map<String, Tensor> parameters = new LinkedHashMap<>(vision.parameters());
            parameters.putAll(made.parameters());
            NoiseProcess flow = new RectifiedFlow(new LogitNormalLevels(0, std));
            Generator draws = torch.make_generator_cpu(SEED);
            try (VisionModel untouched = frozen();
                    AutoencoderModel autoencoder = AutoencoderModel.load(file("vae"), PLACEMENT)) {
                DiffusionFeedback feedback = made.feedback(
                        new TowerEmbedding(vision.tower(), null), flow, guard(assignment, vision, untouched), one());
                assertSteps(
                        out,
                        parameters,
                        k -> feedback.backward(
                                tower(vision, k),
                                judged(assignment, latents(autoencoder.autoencoder(), k, true)),
                                draws(draws),
                                contribution()));
            }
        }

        /** Losses of all micro-batches, norms of all steps, weights after the last. */
        void assertSteps(Path out, Map<String, Tensor> parameters, MicroBatch micro) throws IOException {
            List<String> lines = Files.readAllLines(out.resolve("metrics.jsonl"));
            assertThat(lines).hasSize(STEPS);
            ObjectiveCase.Adam adam = objective.new Adam(parameters);
            for (int step = 0; step < STEPS; step++) {
                JsonNode line = new ObjectMapper().readTree(lines.get(step));
                assertThat(line.path("losses")).hasSize(accumulate);
                double guard = 0;
                for (int i = 0; i < accumulate; i++) {
                    double[] losses = micro.backward(step * accumulate + i).values();
                    assertThat(line.path("losses").get(i).asDouble()).isCloseTo(losses[0], within(1e-5 * losses[0]));
                    guard += losses.length > 1 ? losses[1] / accumulate : 0;
                }
                assertThat(line.path("guard").asDouble()).isCloseTo(guard, within(1e-4 * guard + 1e-7));
                double norm = adam.step();
                assertThat(line.path("gradNorm").asDouble()).isCloseTo(norm, within(1e-3 * norm));
            }
            try (SafetensorsFile masters = SafetensorsFile.open(
                    out.resolve(String.format("checkpoints/step-%08d/masters.safetensors", STEPS)))) {
                assertThat(masters.tensors().stream().map(TensorInfo::name))
                        .containsExactlyInAnyOrderElementsOf(parameters.keySet());
                double tolerance = json().path("tolerance_weights").asDouble();
                parameters.forEach((name, value) -> assertClose(masters.read(name), value.detach(), 0, tolerance));
            }
        }
    }
}
