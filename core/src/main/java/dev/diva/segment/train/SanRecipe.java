package dev.diva.segment.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.clip.VisionConfig;
import dev.diva.engine.Precision;
import dev.diva.segment.San;
import dev.diva.segment.SanPixels;
import dev.diva.segment.SanPreset;
import dev.diva.segment.SanSettings;
import dev.diva.segment.SanShape;
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
        boolean freezePositions,
        String cache,
        int points,
        Train train,
        String precision,
        long seed,
        int workers,
        int threads,
        double maxBadShare,
        Checkpoint checkpoint) {
    private static final int MOST_WORKERS = 256; // each keeps pictures in memory
    /** Keys that change how fast a run is and what it needs. */
    private static final Set<String> SILENT = Set.of("workers", "cache");

    public SanRecipe {
        require(
                set != null && san != null && train != null && checkpoint != null,
                "set, san, train or checkpoint",
                null);
        require(crop >= 1, "crop", crop);
        require(shortEdges != null && !shortEdges.isEmpty(), "shortEdges", shortEdges);
        require(shortEdges.stream().allMatch(edge -> edge != null && edge >= 1), "shortEdges", shortEdges);
        require(longEdge >= 1, "longEdge", longEdge);
        require(shortEdge >= 1, "shortEdge", shortEdge);
        require(crops == null || crops >= 1, "crops", crops);
        require(points >= 1, "points", points);
        require(precision != null && precision.matches("auto|fp32|bf16"), "precision", precision);
        require(workers >= 1 && workers <= MOST_WORKERS, "workers", workers);
        require(threads >= 0, "threads", threads);
        require(maxBadShare >= 0 && maxBadShare <= 1, "maxBadShare", maxBadShare);
        if (crop % san.patch != 0) {
            throw new IllegalArgumentException("crop is " + crop + ", expected a multiple of san.patch " + san.patch
                    + ", so that the patches fill it");
        }
        if (cache != null && !(freezePositions && crops != null)) {
            throw new IllegalArgumentException("cache is useless while CLIP's table of positions learns or every epoch"
                    + " crops anew; set freezePositions: true, and crops, for instance crops: 1");
        }
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
            require(width >= 1, "san.width", width);
            require(blocks >= 2, "san.blocks", blocks); // the last two are judged
            require(mlp >= 1, "san.mlp", mlp);
            require(patch >= 1, "san.patch", patch);
            require(queries >= 1, "san.queries", queries);
            require(decoderWidth >= 1, "san.decoderWidth", decoderWidth);
            require(decoderHidden >= 1, "san.decoderHidden", decoderHidden);
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
            require(steps >= 1, "train.steps", steps);
            require(batch >= 1, "train.batch", batch);
            require(accumulate >= 1, "train.accumulate", accumulate);
            require(lr >= 0, "train.lr", lr);
            require(betas != null && betas.size() == 2, "train.betas", betas);
            require(betas.stream().allMatch(beta -> beta != null && beta >= 0 && beta < 1), "train.betas", betas);
            require(eps >= 0, "train.eps", eps);
            require(weightDecay >= 0, "train.weightDecay", weightDecay);
            require(maxGradNorm == null || maxGradNorm > 0, "train.maxGradNorm", maxGradNorm);
        }

        /** Learning rate of every step. */
        public Schedule rates() {
            return new Schedule(Schedule.Kind.POLYNOMIAL, lr, 0, steps);
        }
    }

    /** Steps between checkpoints, and how many are kept. */
    public record Checkpoint(long every, int keep) {
        public Checkpoint {
            require(every >= 1, "checkpoint.every", every);
            require(keep >= 1, "checkpoint.keep", keep);
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
        JsonNode keys = RecipeKeys.read(recipe);
        if (!keys.path("san").isObject() || !keys.path("clip").isTextual()) {
            throw new BadInputException(recipe + ": is not the recipe of 'diva segment train'");
        }
        return Path.of(keys.path("clip").textValue());
    }

    /** Whether a key, by its dotted path, changes what is computed. */
    static boolean decides(String key) {
        return !SILENT.contains(key) && !key.startsWith("checkpoint.");
    }

    /** Number format of CLIP. */
    Precision clipPrecision() {
        return switch (precision) {
            case "fp32" -> Precision.FP32;
            case "bf16" -> Precision.BF16;
            default -> Precision.fastest();
        };
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
