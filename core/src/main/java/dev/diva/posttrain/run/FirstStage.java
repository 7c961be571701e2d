package dev.diva.posttrain.run;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.objective.TowerEmbedding;
import dev.diva.posttrain.recipe.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * What the second of two stages starts from.
 *
 * @param files folder (or file) of the denoiser, where the method trains one
 * @param projectors file of the projectors
 */
record FirstStage(Path files, Path projectors) {
    static final String PROJECTORS = "projectors.safetensors";

    private static final String FOLDER = "stage1";
    private static final String TOWER = "tower.safetensors";
    private static final String EMBEDDING = "embedding";
    private static final String PRECISION = "precision";
    private static final String DENOISER = "denoiser.safetensors";
    private static final List<String> WRITTEN = List.of(PROJECTORS, TOWER, DENOISER, "denoiser.json");
    /** Of the length of an embedding that may differ: kernels and machines round otherwise. */
    private static final double EXACT = 1e-3;
    /** The same where one of both was computed in bf16. */
    private static final double ROUGH = 0.05;

    /** Where a run of stage 1 leaves it. */
    static Path in(Path run) {
        return run.resolve(FOLDER);
    }

    /** File of the denoiser in a folder of it; a file is that itself. */
    static Path denoiserIn(Path files) {
        return Files.isDirectory(files) ? files.resolve(DENOISER) : files;
    }

    /**
     * What a recipe of stage 2 names.
     *
     * @throws BadInputException when the run of stage 1 is not finished, or is of another method
     */
    static FirstStage of(Recipe recipe) {
        Path projectors = recipe.projectors() == null ? null : Path.of(recipe.projectors());
        if (recipe.stage1() == null) {
            return new FirstStage(projectors, projectors);
        }
        Path files = files(Path.of(recipe.stage1()), recipe);
        Path beside = Files.isDirectory(files) ? files.resolve(PROJECTORS) : files;
        return new FirstStage(files, projectors == null ? beside : projectors);
    }

    /** A file itself, the folder of a run, or one with what a run leaves. */
    private static Path files(Path given, Recipe recipe) {
        if (Files.isRegularFile(given)) {
            return given;
        }
        if (Files.exists(given.resolve("recipe.yaml"))) {
            return ofRun(given, recipe);
        }
        Path files = Files.isDirectory(in(given)) ? in(given) : given;
        List<String> missing = needed(recipe).stream()
                .filter(name -> !Files.isRegularFile(files.resolve(name)))
                .toList();
        if (!missing.isEmpty()) {
            throw new BadInputException("recipe: stage1 " + given + ": "
                    + (Files.exists(given) ? "holds no run, and no " + String.join(", no ", missing) : "no such folder")
                    + "; expected the folder of a finished diva train --preset "
                    + recipe.objective().key() + " --set stage=1, or one with "
                    + String.join(" and ", needed(recipe)));
        }
        return files;
    }

    private static List<String> needed(Recipe recipe) {
        List<String> needed = new ArrayList<>();
        if (recipe.objective() == Recipe.ObjectiveName.GENHANCER) {
            needed.add(DENOISER);
        }
        if (recipe.projectors() == null) {
            needed.add(PROJECTORS);
        }
        return needed;
    }

    /** What is read from these files; what is wrong with them is told of the key that names them. */
    static <T> T read(Recipe recipe, Supplier<T> reader) {
        try {
            return reader.get();
        } catch (BadInputException e) {
            String key = recipe.projectors() == null ? "stage1" : "stage1 or projectors";
            throw new BadInputException("recipe: " + key + ": " + e.getMessage(), e);
        }
    }

    private static Path ofRun(Path run, Recipe recipe) {
        Recipe first = new RunFiles(run).recipe().recipe();
        if (first.objective() != recipe.objective() || !first.isFirstStage()) {
            throw new BadInputException("recipe: stage1 " + run + ": is a run of objective "
                    + first.objective().key()
                    + (first.objective().hasStages() ? ", stage " + first.stage() : "") + "; expected one of "
                    + recipe.objective().key() + ", stage 1");
        }
        if (!Files.isDirectory(in(run))) {
            throw new BadInputException(
                    "recipe: stage1 " + run + ": is not finished; go on with it by diva train --resume --out " + run);
        }
        return in(run);
    }

    /** Every file of it. */
    List<Path> all() {
        Path folder = Files.isDirectory(files) ? files : files.toAbsolutePath().getParent();
        return Stream.concat(
                        Stream.of(projectors, files).filter(Files::isRegularFile),
                        WRITTEN.stream()
                                .map(folder::resolve)
                                .filter(file -> Files.isDirectory(files) && Files.isRegularFile(file)))
                .distinct()
                .toList();
    }

    /**
     * Writes it, with what the tower gives for an image.
     *
     * @param body writes what the method has trained
     */
    static void write(Path folder, TowerEmbedding tower, Placement placement, AtomicFolder.Body body) {
        AtomicFolder.replace(folder, file -> WRITTEN.contains(file.toString()), made -> {
            body.write(made);
            try (PointerScope scope = new PointerScope()) {
                SafetensorsWriter.write(
                        made.resolve(TOWER),
                        Map.of(EMBEDDING, embedding(tower)),
                        Map.of(PRECISION, placement.precision().name()));
            }
        });
    }

    /**
     * Refuses another tower than the one that stage 1 has seen, where that is known.
     *
     * @throws BadInputException when it gives other embeddings
     */
    void requireTower(TowerEmbedding tower, Placement placement) {
        Path known = files.resolve(TOWER);
        if (!Files.isRegularFile(known)) {
            return;
        }
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(known)) {
            if (file.info(EMBEDDING) == null) {
                throw new BadInputException(known + ": has no " + EMBEDDING + "; run stage 1 again");
            }
            Tensor then = file.read(EMBEDDING);
            Tensor now = embedding(tower);
            boolean isExact = Precision.FP32.name().equals(file.metadata().get(PRECISION))
                    && placement.precision() == Precision.FP32;
            if (then.numel() != now.numel() || distance(then, now) > (isExact ? EXACT : ROUGH)) {
                throw new BadInputException(
                        "recipe: stage1 " + files + ": was trained with another tower than clip: the"
                                + " embeddings of an image differ; take the run of stage 1 of this CLIP, or run it");
            }
        }
    }

    /** Of the length of the first. */
    private static double distance(Tensor a, Tensor b) {
        float[] x = Tensors.toFloats(a);
        float[] y = Tensors.toFloats(b);
        double difference = 0;
        double length = 0;
        for (int i = 0; i < x.length; i++) {
            difference += (double) (x[i] - y[i]) * (x[i] - y[i]);
            length += (double) x[i] * x[i];
        }
        return Math.sqrt(difference / Math.max(length, Double.MIN_NORMAL));
    }

    /** Of an image whose pixels follow from their places. */
    private static Tensor embedding(TowerEmbedding tower) {
        int side = Math.toIntExact(tower.tower().config().imageSize());
        float[] pixels = new float[3 * side * side];
        for (int i = 0; i < pixels.length; i++) {
            int column = i % side;
            int row = i / side; // over all channels
            int channel = row / side;
            pixels[i] = (float) (2 * Math.sin(0.7 * column + 0.3 * row * (1 + channel)));
        }
        try (NoGradGuard noGrad = new NoGradGuard()) {
            return tower.tower()
                    .embeddingOf(Tensors.of(pixels, 1, 3, side, side))
                    .detach()
                    .to(torch.kFloat())
                    .cpu();
        }
    }
}
