package dev.diva.posttrain.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AdapterDropout;
import dev.diva.checkpoint.LowRank;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Activations;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.SharedMemory;
import dev.diva.engine.Tensors;
import dev.diva.feedback.EmbeddingGuard;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.testing.Golden;
import dev.diva.testing.MetaDevice;
import dev.diva.train.Contribution;
import dev.diva.train.Optimizer;
import dev.diva.train.RecipeKeys;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A step of every method with models, gradients and optimiser on another device than the processor, its batch as it comes from files. */
class MethodDeviceTest {
    private static final int BATCH = 2;
    private static final int RESOLUTION = 64;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "corrected | clip-hf-vit | ",
                "corrected | clip-hf-vit | teacher=flux1-dev recap.text=mean",
                "published | clip-hf-vit | teacher=sd35-medium",
                "published | clip-openai-jit/ViT-jit.pt | ",
                "corrected | siglip-hf | recap.tokens=all latents=shuffled",
                "genhancer | clip-hf-vit | stage=1 denoiser.width=32 denoiser.heads=2 denoiser.double=1"
                        + " denoiser.single=1",
                "genhancer | clip-hf-vit | denoiser.learns=true posterior=sampled",
                "dcr | siglip-hf | stage=1",
                "dcr | clip-hf-vit | ",
                "un2clip | clip-hf-vit | embeddingNoise=generator",
            })
    void aStepStaysWhereTheModelsAre(String preset, String clip, String assignments) throws Exception {
        String given = assignments == null ? "" : assignments;
        step(preset, clip, given, MetaDevice.placement(Precision.FP32, Activations.KEPT));
        step(preset, clip, given, MetaDevice.placement(Precision.BF16, Activations.RECOMPUTED));
    }

    private void step(String preset, String clip, String assignments, Placement placement) throws Exception {
        Recipe asked = asked(preset, assignments, placement).recipe();
        AdapterDropout dropout = adapters(asked) ? new AdapterDropout(0.1) : null;
        DiffusionModel teacher =
                preset.startsWith("genhancer") ? null : DiffusionModel.load(Path.of(asked.diffusion()), placement);
        try (PointerScope scope = new PointerScope();
                VisionModel vision = VisionModel.load(Golden.model(clip), placement, part(asked, dropout));
                VisionModel untouched = VisionModel.load(Golden.model(clip), placement, TrainedPart.nothing());
                Method method = Method.of(asked, vision, dropout, teacher, placement)) {
            RecipeTree tree = asked(preset, assignments, placement);
            ObjectNode keys = tree.root().objectNode();
            method.resolve(keys);
            Recipe recipe = tree.with(keys, "recipe").recipe();
            method.open(recipe);
            EmbeddingGuard guard =
                    recipe.isFirstStage() ? null : new EmbeddingGuard(vision.tower(), untouched.tower(), 0.5, null);
            Map<String, Tensor> parameters = new LinkedHashMap<>(vision.parameters());
            parameters.putAll(method.parameters());
            method.objective(guard).backward(batch(method, vision), new RandomStreams(1), Contribution.of(BATCH, 1));
            MetaDevice.requireGradients(parameters);
            try (NoGradGuard noGrad = new NoGradGuard();
                    Optimizer optimizer = recipe.train().optimizerSettings().create(SharedMemory.none())) {
                optimizer.update(parameters, name -> 0.1, 0.5);
                assertThat(optimizer.state().values()).anyMatch(Tensor::is_meta);
                method.denoise(torch.zeros(1, method.latentChannels(), 8, 8));
            }
        }
    }

    private static boolean adapters(Recipe recipe) {
        return recipe.trainable().mode() == Recipe.Trainable.Mode.LORA && !recipe.isFirstStage();
    }

    private static TrainedPart part(Recipe recipe, AdapterDropout dropout) {
        if (recipe.isFirstStage()) {
            return TrainedPart.nothing();
        }
        return adapters(recipe)
                ? TrainedPart.adapters(new LowRank.Plan(
                        2,
                        2,
                        TrainedPart.layersNamed(Set.copyOf(recipe.trainable().targets())),
                        new RandomStreams(1).stream("lora"),
                        true,
                        dropout))
                : TrainedPart.full();
    }

    private RecipeTree asked(String preset, String assignments, Placement placement) throws Exception {
        List<ObjectNode> changes = new java.util.ArrayList<>();
        changes.add(RecipeKeys.assignment("resolution=" + RESOLUTION));
        changes.add(RecipeKeys.assignment("train.batch=" + BATCH));
        changes.add(RecipeKeys.assignment("train.accumulate=1"));
        changes.add(RecipeKeys.assignment("lowMemory=" + (placement.activations() == Activations.RECOMPUTED)));
        changes.add(RecipeKeys.assignment("diffusion=" + teacher(preset)));
        for (String assignment : assignments.split(" ")) {
            if (assignment.startsWith("teacher=")) {
                changes.add(RecipeKeys.assignment("diffusion=" + Golden.model(assignment.substring(8))));
            } else if (!assignment.isEmpty()) {
                changes.add(RecipeKeys.assignment(assignment));
            }
        }
        if (!assignments.contains("stage=1") && preset.equals("genhancer")) {
            changes.add(RecipeKeys.assignment("stage1=" + Golden.model("genhancer")));
        }
        if (!assignments.contains("stage=1") && (preset.equals("genhancer") || preset.equals("dcr"))) {
            changes.add(
                    RecipeKeys.assignment("projectors=" + Golden.model(preset).resolve("inputs.safetensors")));
        }
        RecipeTree tree = RecipeTree.under(preset, changes);
        for (ObjectNode change : changes) {
            tree = tree.with(change, "test");
        }
        return tree;
    }

    private Path teacher(String preset) throws Exception {
        if (preset.equals("genhancer")) {
            return Golden.model("genhancer").resolve("vae");
        }
        return preset.equals("un2clip") ? unclip() : Golden.model("sd21");
    }

    /** The golden case has the UNet and how it is told, the rest is that of Stable Diffusion 2.1. */
    private Path unclip() throws Exception {
        for (String part : List.of("vae", "text_encoder", "tokenizer")) {
            link(Golden.model("sd21").resolve(part));
        }
        for (String part : List.of("unet", "scheduler", "image_normalizer", "image_noising_scheduler")) {
            link(Golden.model("un2clip").resolve(part));
        }
        return folder;
    }

    private void link(Path part) throws Exception {
        Path here = folder.resolve(part.getFileName().toString());
        if (!Files.exists(here)) {
            Files.createSymbolicLink(here, part);
        }
    }

    /** On the processor but for the latents, which the autoencoder makes where it is. */
    private static ImageBatch batch(Method method, VisionModel vision) {
        int side = Math.toIntExact(vision.tower().config().imageSize());
        float[] pixels = new float[BATCH * 3 * side * side];
        TrainingSample sample = new TrainingSample(pixels, new float[3 * RESOLUTION * RESOLUTION], "key", pixels, 7L);
        Tensor seen = Tensors.of(pixels, BATCH, 3, side, side);
        Tensor latents = new Latents(method.autoencoder(), null, RESOLUTION).of(List.of(sample, sample));
        return new ImageBatch(List.of("a", "b"), seen, latents, seen);
    }
}
