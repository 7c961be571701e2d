package dev.diva.posttrain.run;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorCache;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageLoader;
import dev.diva.data.ImageSet;
import dev.diva.data.SampleOrder;
import dev.diva.diffusion.Autoencoder;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.ProcessGroup;
import dev.diva.feedback.TrainingPixels;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.FileHashes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes all latents that a training with fixed crops will ask for. Begun caches are finished, finished ones left alone. */
public final class CacheFilling {
    /** Latents of a full shard. */
    public static final int SHARD = 256;

    private CacheFilling() {}

    /**
     * Opens the cache that one autoencoder fills; the key of a latent is the SHA-256 of the bytes of its crop, which stands for image, box and
     * resolution at once.
     */
    static TensorCache open(Path cache, String autoencoder) {
        return new TensorCache(cache, autoencoder, "latents", SHARD);
    }

    /**
     * What was done.
     *
     * @param notRead files that were passed over because of their suffix, by suffix
     */
    public record Result(long latents, long made, long skipped, Map<String, Integer> notRead) {}

    /** Hears how it goes. */
    public interface Listener {
        /** Before the first of so many samples. */
        void begin(long samples);

        /** After each sample. */
        void done(long samples);

        /** An image or shard that cannot be read. */
        void warning(String line);
    }

    /**
     * Some of the samples of a cache, which are all images, once for each crop.
     *
     * @param from first
     * @param to behind the last
     * @param step 1, or every so many
     */
    public record Samples(long from, long to, long step) {
        /** How many. */
        public long count() {
            return Math.max(0, (to - from + step - 1) / step);
        }
    }

    /**
     * Fills a cache.
     *
     * @param recipe as the training's; the CLIP may be missing
     * @param processGroup that share the images; the result is that of all
     * @throws BadInputException when images or models cannot be read, or crops are drawn anew every epoch
     */
    public static Result run(Recipe recipe, Path out, ProcessGroup processGroup, Listener listener) {
        List<DataProblem> problems = new ArrayList<>();
        ImageSet images = ImageSet.open(recipe.images(), problems::add);
        if (processGroup.isFirst()) {
            problems.forEach(problem -> listener.warning(problem.toString()));
            if (!images.notRead().isEmpty()) {
                listener.warning(images.notReadWords());
            }
        }
        Samples all = samples(recipe, images);
        Result result = run(
                recipe,
                images,
                new Samples(processGroup.rank(), all.to(), processGroup.worldSize()),
                out,
                processGroup,
                listener);
        return new Result(result.latents(), result.made(), result.skipped() + problems.size(), result.notRead());
    }

    /**
     * All samples of a recipe.
     *
     * @throws BadInputException when crops are drawn anew every epoch
     */
    public static Samples samples(Recipe recipe, ImageSet images) {
        if (recipe.crops() == null && !recipe.crop().isFixed()) {
            throw new BadInputException(
                    "recipe: crops are drawn anew every epoch; give --crops N for N fixed ones an image");
        }
        return new Samples(0, (long) images.size() * (recipe.crops() == null ? 1 : recipe.crops()), 1);
    }

    /**
     * Makes some of the samples, in a process of its own or beside others that fill the same folder.
     *
     * @param images of the recipe, all of them and in its order
     */
    public static Result run(Recipe recipe, ImageSet images, Samples samples, Path out, Listener listener) {
        return run(recipe, images, samples, out, ProcessGroup.single(), listener);
    }

    private static Result run(
            Recipe recipe, ImageSet images, Samples samples, Path out, ProcessGroup processGroup, Listener listener) {
        requireMean(recipe);
        Engine.setThreads(recipe.threads());
        Placement placement = TrainingModels.placement(recipe);
        try (LatentMaker maker = LatentMaker.load(recipe, placement);
                FileHashes hashes = new FileHashes();
                TensorCache cache = open(out, identity(recipe, maker, hashes, placement))) {
            if (processGroup.isFirst()) {
                maker.notes().forEach(listener::warning);
            }
            cache.damaged().forEach(listener::warning);
            TrainingModels.requireResolution(
                    recipe, maker.autoencoder(), maker.latentMultiple(), maker.largestLatent());
            int before = cache.size();
            long skipped = fill(recipe, images, samples, maker.autoencoder(), cache, listener);
            cache.flush();
            int made = cache.size() - before;
            if (processGroup.worldSize() == 1) {
                return new Result(cache.size(), made, skipped, images.notRead());
            }
            processGroup.awaitAll(); // machines may differ in speed
            double[] sums = processGroup.sum(made, skipped);
            return new Result(
                    distinct(out, identity(recipe, maker, hashes, placement)),
                    (long) sums[0],
                    (long) sums[1],
                    images.notRead());
        }
    }

    private static void requireMean(Recipe recipe) {
        if (recipe.posterior() == Recipe.Posterior.SAMPLED) {
            throw new BadInputException("recipe: posterior: sampled takes another latent of a crop each time, which no"
                    + " cache can keep; set posterior: mean");
        }
    }

    private static String identity(Recipe recipe, LatentMaker maker, FileHashes hashes, Placement placement) {
        return Autoencoders.identity(maker.files(), hashes, recipe.feedback().pixels(), placement.precision());
    }

    /** Latents that the processes have written together; two may have made the same one. */
    private static int distinct(Path out, String identity) {
        try (TensorCache all = open(out, identity)) {
            return all.size();
        }
    }

    private static long fill(
            Recipe recipe,
            ImageSet images,
            Samples samples,
            Autoencoder autoencoder,
            TensorCache cache,
            Listener listener) {
        TrainingPixels pixels = TrainingPixels.of(recipe.feedback().pixels() == Recipe.Feedback.Pixels.PUBLISHED, null);
        SamplePreparation preparation = new SamplePreparation(recipe, pixels, false, cache);
        Latents latents = new Latents(autoencoder, cache, recipe.resolution());
        SampleOrder order = new SampleOrder(images.size(), recipe.seed(), false);
        ImageLoader.Settings settings = new ImageLoader.Settings(
                0,
                n -> samples.from() + n * samples.step(),
                recipe.workers(),
                2 * recipe.workers() + 2,
                ImageDecoder.reference());
        Set<String> skipped = new HashSet<>();
        listener.begin(samples.count());
        try (ImageLoader<TrainingSample> loader = new ImageLoader<>(images, order, settings, preparation, problem -> {
            if (skipped.add(problem.name())) {
                listener.warning(problem.toString());
            }
        })) {
            for (long i = 0; i < samples.count(); i++) {
                latents.ensure(loader.next().value());
                listener.done(i + 1);
            }
        }
        return skipped.size();
    }
}
