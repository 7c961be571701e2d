package dev.diva.posttrain.run;

import dev.diva.Sha256;
import dev.diva.checkpoint.TensorCache;
import dev.diva.data.Box;
import dev.diva.data.Filter;
import dev.diva.data.ImageLoader;
import dev.diva.data.Mix;
import dev.diva.data.RandomCrop;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import dev.diva.feedback.TrainingPixels;
import dev.diva.objective.dcr.SecondView;
import dev.diva.posttrain.recipe.Contrast;
import dev.diva.posttrain.recipe.Recipe;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** From an image to what training needs of it, on the threads of the loader. */
final class SamplePreparation implements ImageLoader.Preparation<TrainingSample> {
    private static final RandomGeneratorFactory<RandomGenerator> GENERATORS =
            RandomGeneratorFactory.of("L64X128MixRandom");

    /** What random numbers are for. */
    private static final long SECOND_VIEW = 1;

    private static final long POSTERIOR = 2;

    private final RandomCrop crop;
    private final Integer crops;
    private final int resolution;
    private final TrainingPixels pixels;
    private final boolean withTower;
    private final TensorCache cache;
    private final Contrast contrast; // null where there is no second view
    private final boolean isSampled;

    /**
     * @param withTower whether the tower's pixels are wanted
     * @param cache of latents, or null
     */
    SamplePreparation(Recipe recipe, TrainingPixels pixels, boolean withTower, TensorCache cache) {
        this.crop = new RandomCrop(
                recipe.crop().scale().get(0),
                recipe.crop().scale().get(1),
                recipe.crop().ratio().get(0),
                recipe.crop().ratio().get(1));
        this.crops = recipe.crops();
        this.resolution = recipe.resolution();
        this.pixels = pixels;
        this.withTower = withTower;
        this.cache = cache;
        this.contrast = recipe.contrast();
        this.isSampled = recipe.posterior() == Recipe.Posterior.SAMPLED;
    }

    /** The same crop goes to both models: as a square, but to a tower that keeps ratios at its own. */
    @Override
    public TrainingSample prepare(RasterImage image, ImageLoader.Draw draw) {
        RasterImage rgb = image.toRgb();
        Box box = box(rgb, draw);
        RasterImage square = Resampler.resize(rgb, box, resolution, resolution, Filter.BICUBIC);
        float[] tower = withTower ? pixels.tower(pixels.keepsRatio() ? rgb.crop(box) : square) : null;
        String key = cache == null ? null : Sha256.of(square.samples());
        boolean cached = cache != null && cache.has(key);
        return new TrainingSample(
                tower,
                cached ? null : pixels.autoencoder(square),
                key,
                contrast == null || !withTower ? null : secondView(square, tower, draw),
                isSampled ? generator(draw, POSTERIOR).nextLong() : null);
    }

    private float[] secondView(RasterImage square, float[] tower, ImageLoader.Draw draw) {
        RandomGenerator random = generator(draw, SECOND_VIEW);
        if (contrast.secondView() == Contrast.View.CORRECTED) {
            return pixels.tower(SecondView.draw(random, square.width()).of(square));
        }
        int side = Math.toIntExact(Math.round(Math.sqrt(tower.length / 3.0)));
        return SecondView.draw(random, side).ofNormalised(tower, side);
    }

    /** For one image in one epoch, whichever process or thread prepares it. */
    private static RandomGenerator generator(ImageLoader.Draw draw, long purpose) {
        return GENERATORS.create(Mix.of(purpose, draw.seed(), draw.epoch(), draw.index()));
    }

    private Box box(RasterImage rgb, ImageLoader.Draw draw) {
        long epoch = crops == null ? draw.epoch() : draw.epoch() % crops;
        return crop.box(rgb.width(), rgb.height(), draw.seed(), epoch, draw.index());
    }
}
