package dev.diva.segment.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.clip.VisionConfig;
import dev.diva.engine.Gpu;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.segment.San;
import dev.diva.segment.SanPixels;
import dev.diva.segment.SanPreset;
import dev.diva.segment.SanSettings;
import dev.diva.segment.SanShape;
import dev.diva.train.CheckpointKeys;
import dev.diva.train.MemoryNeed;
import dev.diva.train.RecipeChecks;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import dev.diva.train.Schedule;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Everything that decides the training of a SAN; each key is explained in {@code san.yaml}. */
public record SanRecipe(
        String clip,
        String format,
        String data,
        String set,
        String start,
        Network san,
        int crop,
        List<Integer> shortEdges,
        int longEdge,
        int shortEdge,
        Integer crops,
        boolean shuffle,
        boolean augment,
        boolean freezePositions,
        String cache,
        int points,
        String draws,
        Train train,
        String precision,
        String device,
        boolean tf32,
        long seed,
        int workers,
        int threads,
        double maxBadShare,
        CheckpointKeys checkpoint) {
    private static final int MOST_WORKERS = 256; // each keeps pictures in memory
    private static final int MOST_PIXELS = 8192;
    private static final int MOST_LONG = 65_536; // three bytes a pixel: as many as one array holds
    private static final int MOST_POINTS = 1_000_000;
    /** Keys that change how fast a run is and what it needs. */
    private static final Set<String> SILENT = Set.of("workers", "cache");

    public SanRecipe {
        RecipeChecks.given("set", set);
        RecipeChecks.given("san", san);
        RecipeChecks.given("train", train);
        RecipeChecks.given("checkpoint", checkpoint);
        RecipeChecks.within("crop", crop, 1, MOST_PIXELS);
        boolean isDrawable = shortEdges != null
                && !shortEdges.isEmpty()
                && shortEdges.stream().allMatch(edge -> edge != null && edge >= 1 && edge <= MOST_PIXELS);
        if (!isDrawable) {
            throw new IllegalArgumentException(
                    "shortEdges is " + shortEdges + ", expected a list of whole numbers, 1 to " + MOST_PIXELS);
        }
        RecipeChecks.within("longEdge", longEdge, 1, MOST_LONG);
        RecipeChecks.within("shortEdge", shortEdge, 1, MOST_PIXELS);
        RecipeChecks.atLeast("crops", crops == null ? 1 : crops, 1);
        RecipeChecks.within("points", points, 1, MOST_POINTS);
        RecipeChecks.oneOf("precision", precision, "auto", "fp32", "bf16");
        RecipeChecks.given("device", device);
        RecipeChecks.within("workers", workers, 1, MOST_WORKERS);
        RecipeChecks.atLeast("threads", threads, 0);
        RecipeChecks.within("maxBadShare", maxBadShare, 0, 1);
        if (crop % san.patch != 0) {
            throw new IllegalArgumentException("crop is " + crop + ", expected a multiple of san.patch " + san.patch
                    + ", so that the patches fill it");
        }
        if (cache != null && !(freezePositions && crops != null)) {
            throw new IllegalArgumentException("cache is useless while CLIP's table of positions learns or every epoch"
                    + " crops anew; set freezePositions: true, and crops, for instance crops: 1");
        }
    }

    /** Refuses what the machine has no memory for, by far. */
    void requireMemory() {
        double layers = san.blocks;
        MemoryNeed.require("san.queries", san.queries, (double) san.queries * san.width * Float.BYTES);
        MemoryNeed.require("san.width", san.width, layers * san.width * san.width * Float.BYTES);
        MemoryNeed.require("san.mlp", san.mlp, layers * san.width * san.mlp * Float.BYTES);
        MemoryNeed.require(
                "san.decoderHidden", san.decoderHidden, (double) san.decoderHidden * san.decoderHidden * Float.BYTES);
        double picture = 3.0 * crop * crop * Float.BYTES;
        MemoryNeed.require("crop", crop, picture);
        MemoryNeed.require("train.batch", train.batch, train.batch * picture);
    }

    private static void require(boolean isFine, String key, Object value) {
        if (!isFine) {
            throw new IllegalArgumentException(key + " is " + value + ", which is out of range");
        }
    }

    /** The side network; null where the preset of the CLIP says. */
    public record Network(
            Double clipResolution,
            Integer sideHeads,
            Map<Integer, Integer> fusion,
            Integer recognitionLayer,
            int width,
            int blocks,
            int mlp,
            int patch,
            int queries,
            int decoderWidth,
            int decoderHidden) {
        public Network {
            SanSettings.requireRanges("san.", clipResolution, sideHeads, recognitionLayer);
            RecipeChecks.atLeast("san.width", width, 1);
            RecipeChecks.atLeast("san.blocks", blocks, 2); // the last two are judged
            RecipeChecks.atLeast("san.mlp", mlp, 1);
            RecipeChecks.atLeast("san.patch", patch, 1);
            RecipeChecks.atLeast("san.queries", queries, 1);
            RecipeChecks.atLeast("san.decoderWidth", decoderWidth, 1);
            RecipeChecks.atLeast("san.decoderHidden", decoderHidden, 1);
        }
    }

    /** Of the loop. */
    public record Train(
            int steps,
            int batch,
            int accumulate,
            double lr,
            List<Double> betas,
            double eps,
            double weightDecay,
            Double maxGradNorm) {
        public Train {
            RecipeChecks.atLeast("train.steps", steps, 1);
            RecipeChecks.atLeast("train.batch", batch, 1);
            RecipeChecks.atLeast("train.accumulate", accumulate, 1);
            RecipeChecks.within("train.lr", lr, 0, Double.MAX_VALUE);
            require(betas != null && betas.size() == 2, "train.betas", betas);
            require(betas.stream().allMatch(beta -> beta != null && beta >= 0 && beta < 1), "train.betas", betas);
            RecipeChecks.within("train.eps", eps, 0, Double.MAX_VALUE);
            RecipeChecks.within("train.weightDecay", weightDecay, 0, Double.MAX_VALUE);
            require(maxGradNorm == null || maxGradNorm > 0, "train.maxGradNorm", maxGradNorm);
        }

        /** Learning rate of every step. */
        public Schedule rates() {
            return new Schedule(Schedule.Kind.POLYNOMIAL, lr, 0, steps);
        }
    }

    /** Every key with the value of SAN's authors. */
    public static RecipeKeys published() {
        try (InputStream file = SanRecipe.class.getResourceAsStream("san.yaml")) {
            return RecipeKeys.parse(file);
        } catch (IOException e) {
            throw new IllegalStateException("san.yaml is in the jar", e);
        }
    }

    /**
     * The CLIP of a run.
     *
     * @throws BadInputException when the folder is the run of something else
     */
    public static Path clipOf(Path run) {
        Path recipe = RunFolder.recipeOf(run);
        JsonNode keys = KeyFile.read(recipe);
        if (!keys.path("san").isObject() || !keys.path("clip").isTextual()) {
            throw new BadInputException(recipe + ": is not the recipe of 'diva segment train'");
        }
        return Path.of(keys.path("clip").textValue());
    }

    /** The layout of that CLIP as the run was told it, or null. */
    public static String formatOf(Path run) {
        return KeyFile.read(RunFolder.recipeOf(run)).path("format").textValue();
    }

    /** Whether a key, by its dotted path, changes what is computed. */
    static boolean decides(String key) {
        return !SILENT.contains(key) && !key.startsWith("checkpoint.");
    }

    /**
     * Where CLIP and the side network compute, and the number format of CLIP.
     *
     * @throws dev.diva.BadInputException when there is no such device
     */
    public Placement placement() {
        Gpu.useTf32(device, tf32);
        return Placement.of(device, precision, false);
    }

    /** Number format of CLIP. */
    Precision clipPrecision() {
        return placement().precision();
    }

    /**
     * What the tensors will not tell: what the recipe says, else what lies beside the SAN that it starts from, else the preset of the CLIP.
     *
     * @throws BadInputException when none of them knows a value
     */
    SanSettings settings(VisionConfig vision) {
        if (san.clipResolution != null && san.sideHeads != null && san.fusion != null && san.recognitionLayer != null) {
            return new SanSettings(san.clipResolution, san.sideHeads, san.fusion, san.recognitionLayer, shortEdge);
        }
        SanSettings base = start == null
                ? SanPreset.of(vision).map(SanPreset::settings).orElseThrow(() -> noPreset(vision))
                : San.settingsOf(Path.of(start), vision);
        return new SanSettings(
                san.clipResolution == null ? base.clipResolution() : san.clipResolution,
                san.sideHeads == null ? base.sideHeads() : san.sideHeads,
                san.fusion == null ? base.fusion() : san.fusion,
                san.recognitionLayer == null ? base.recognitionLayer() : san.recognitionLayer,
                shortEdge);
    }

    private static BadInputException noPreset(VisionConfig vision) {
        int layers = vision.transformer().numHiddenLayers();
        return new BadInputException("recipe: there is no preset for a CLIP of width "
                + vision.transformer().hiddenSize() + " and " + layers
                + " layers; give san.clipResolution, san.sideHeads, san.fusion and san.recognitionLayer, for instance"
                + " san.recognitionLayer=" + layers * 3 / 4 + ", three quarters of the layers");
    }

    /** Sizes of a new network. */
    SanShape shape() {
        return new SanShape(
                san.width,
                san.blocks,
                san.mlp,
                san.patch,
                Math.toIntExact(SanPixels.padded(crop)) / san.patch,
                san.queries,
                san.decoderWidth,
                san.decoderHidden);
    }
}
