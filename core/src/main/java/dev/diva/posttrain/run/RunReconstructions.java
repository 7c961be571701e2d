package dev.diva.posttrain.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.clip.PixelBatch;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.data.Box;
import dev.diva.data.Filter;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageSet;
import dev.diva.data.PngFile;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.feedback.Projection;
import dev.diva.feedback.Reconstruction;
import dev.diva.feedback.TrainingPixels;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.posttrain.recipe.RecipeTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * "What this CLIP sees": images of a finished run painted again from what its tower tells the denoiser before and after training, in {@code
 * reconstructions/}. Noise and choice of tokens are the same. DIVA: both towers speak through the trained projection; where the run first
 * trained it alone and that checkpoint is still there, the untouched tower speaks through the projection that was fitted to it. GenHancer
 * and DCR: through the projectors that training left, of stage 1 where they did not learn further. An image is the central square of its
 * file at the recipe's resolution.
 */
public final class RunReconstructions {
    private final Path run;
    private final RunFiles files;
    private final Path diffusion;
    private final RecipeTree tree;
    private final Recipe recipe;
    private final Placement placement;
    private final List<Picture> pictures;
    private final int steps;

    private record Picture(String name, RasterImage square) {}

    private RunReconstructions(Path run, Path diffusion, List<String> images, Settings settings) {
        this.run = run;
        this.diffusion = diffusion;
        this.files = new RunFiles(run);
        this.tree = files.recipe();
        this.recipe = tree.recipe();
        this.steps = settings.steps;
        if (recipe.isFirstStage()) {
            throw new BadInputException(run + ": is stage 1 of "
                    + recipe.objective().key() + ", whose CLIP is untouched; name a run of stage 2");
        }
        requireResult();
        Engine.setThreads(recipe.threads());
        this.placement = TrainingModels.placement(recipe);
        this.pictures = pictures(images.isEmpty() ? recipe.images() : images, settings.count);
    }

    /**
     * How much is painted.
     *
     * @param count images at most
     * @param steps of sampling
     */
    public record Settings(int count, int steps) {
        /** Six images, 25 steps each. */
        public static final Settings DEFAULT = new Settings(6, 25);

        public Settings {
            if (count < 1 || steps < 1) {
                throw new IllegalArgumentException("count " + count + ", steps " + steps + ", expected 1 or more");
            }
        }
    }

    /**
     * Reads the images; loads no model yet.
     *
     * @param run folder of a finished run
     * @param diffusion what it was trained with: a diffusion model, for GenHancer an autoencoder
     * @param images folders, files, globs or tars, of which the first readable images are taken; none for those of the run
     * @throws BadInputException when the run is not finished, or no image can be read
     */
    public static RunReconstructions of(Path run, Path diffusion, List<String> images, Settings settings) {
        return new RunReconstructions(run, diffusion, images, settings);
    }

    private void requireResult() {
        if (!Files.exists(files.clip())) {
            throw new BadInputException(files.clip()
                    + ": not there, so the run is not finished; go on with it by diva train" + " --resume --out "
                    + run);
        }
        if (!Files.exists(Path.of(recipe.clip()))) {
            throw new BadInputException(run.resolve("recipe.yaml") + ": the CLIP before training, " + recipe.clip()
                    + ", is not there; run the command in the folder where the run was started");
        }
    }

    private List<Picture> pictures(List<String> patterns, int count) {
        List<Picture> found = new ArrayList<>();
        BadInputException problem = null;
        for (ImageEntry entry : ImageSet.open(patterns, unused -> {}).entries()) {
            if (found.size() == count) {
                break;
            }
            try {
                RasterImage image = ImageDecoder.reference().decode(entry.read(), entry.name());
                found.add(new Picture(entry.name(), square(image.toRgb())));
            } catch (BadInputException e) {
                problem = e;
            }
        }
        if (found.isEmpty()) {
            throw new BadInputException(
                    String.join(", ", patterns) + ": none of the images can be read; the last: " + problem.getMessage(),
                    problem);
        }
        return found;
    }

    private RasterImage square(RasterImage rgb) {
        int side = Math.min(rgb.width(), rgb.height());
        Box center = new Box((rgb.height() - side) / 2, (rgb.width() - side) / 2, side, side);
        return Resampler.resize(rgb, center, recipe.resolution(), recipe.resolution(), Filter.BICUBIC);
    }

    /** How often {@link #write} will call its listener. */
    public int numSteps() {
        return 2 * pictures.size() * steps;
    }

    /**
     * Paints and replaces {@code reconstructions/}.
     *
     * @param stepDone called after every step of the diffusion model
     * @return the folder
     * @throws BadInputException when the models do not fit each other
     */
    public Path write(Runnable stepDone) {
        List<RasterImage> before =
                painted(spoken(fittedProjection()), Path.of(recipe.clip()), recipe.format(), stepDone);
        List<RasterImage> after = painted(spoken(files.projection()), files.clip(), null, stepDone);
        Path folder = run.resolve("reconstructions");
        AtomicFolder.replace(folder, RunReconstructions::isPainted, temporary -> write(temporary, before, after));
        return folder;
    }

    /** Whether a file of that name is of an earlier painting. */
    private static boolean isPainted(Path file) {
        return file.toString().matches("index\\.json|\\d+-(image|before|after)\\.png");
    }

    /** The projection after the steps that trained it alone, or where that is gone the trained one. */
    private Path fittedProjection() {
        if (Files.exists(files.projection())
                && Projection.tokensOf(files.projection()).isPresent()) {
            return files.projection(); // a checkpoint does not know the centre of the embeddings
        }
        Long alone = recipe.train().projectionSteps();
        Path masters = run.resolve("checkpoints")
                .resolve(String.format(Locale.ROOT, "step-%08d", alone == null ? 0 : alone))
                .resolve("masters.safetensors");
        return Files.exists(masters) ? masters : files.projection();
    }

    /**
     * The recipe with what training has left to speak through, and without noise on what is told.
     *
     * @param projection DIVA's
     */
    private Recipe spoken(Path projection) {
        ObjectNode keys = JsonNodeFactory.instance.objectNode().put("diffusion", diffusion.toString());
        switch (recipe.objective()) {
            case DIVA -> keys.putObject("projection").put("init", projection.toString());
            case UN2CLIP -> keys.put("embeddingNoise", "none");
            case DCR ->
                keys.put("projectors", FirstStage.of(recipe).projectors().toString())
                        .putNull("stage1"); // whose tower is not that of after
            case GENHANCER -> {
                FirstStage first = FirstStage.of(recipe);
                Path learned = Files.exists(files.denoiser()) ? files.denoiser() : first.files();
                Path projectors = Files.exists(files.denoiser())
                        ? files.denoiser().resolve(FirstStage.PROJECTORS)
                        : first.projectors();
                keys.put("stage1", FirstStage.denoiserIn(learned).toString()).put("projectors", projectors.toString());
            }
        }
        return tree.with(keys, "recipe").recipe();
    }

    private List<RasterImage> painted(Recipe spoken, Path clip, String format, Runnable stepDone) {
        try (PointerScope scope = new PointerScope();
                VisionModel vision = VisionModel.load(clip, format, placement, TrainedPart.nothing());
                Method method = Method.of(spoken, vision, null, teacher(), placement)) {
            method.open(spoken);
            TrainingModels.requireResolution(
                    spoken, method.autoencoder(), method.latentMultiple(), method.largestLatent());
            Reconstruction reconstruction = new Reconstruction(
                    method.autoencoder(),
                    method.denoiser(),
                    method.sampler(steps),
                    new Reconstruction.Settings(recipe.resolution(), recipe.seed()));
            TrainingPixels pixels = TrainingPixels.of(
                    recipe.feedback().pixels() == Recipe.Feedback.Pixels.PUBLISHED, vision.preprocessing());
            List<RasterImage> painted = new ArrayList<>();
            for (Picture picture : pictures) {
                Tensor seen = PixelBatch.of(vision.tower().config(), List.of(pixels.tower(picture.square)));
                painted.add(reconstruction.of(method.condition(), seen, stepDone));
            }
            return painted;
        }
    }

    /** Null for GenHancer, which has none. */
    private DiffusionModel teacher() {
        return recipe.objective() == Recipe.ObjectiveName.GENHANCER ? null : DiffusionModel.load(diffusion, placement);
    }

    private void write(Path folder, List<RasterImage> before, List<RasterImage> after) throws IOException {
        ObjectNode index = new ObjectMapper().createObjectNode();
        ArrayNode items = index.putArray("items");
        for (int i = 0; i < pictures.size(); i++) {
            String name = pictures.get(i).name;
            items.addObject()
                    .put("image", png(folder, i + "-image.png", pictures.get(i).square))
                    .put("before", png(folder, i + "-before.png", before.get(i)))
                    .put("after", png(folder, i + "-after.png", after.get(i)))
                    .put("caption", name.substring(name.lastIndexOf('/') + 1));
        }
        Files.writeString(folder.resolve("index.json"), index.toPrettyString() + "\n");
    }

    private static String png(Path folder, String name, RasterImage image) throws IOException {
        Files.write(folder.resolve(name), PngFile.bytes(image));
        return name;
    }
}
