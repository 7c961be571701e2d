package dev.diva.posttrain.run;

import dev.diva.clip.PixelBatch;
import dev.diva.clip.VisionConfig;
import dev.diva.data.BadShare;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageLoader;
import dev.diva.data.ImageSet;
import dev.diva.data.SampleOrder;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.MicroBatches;
import dev.diva.train.Sharding;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;

/**
 * Micro-batches of a set of images: batch k is positions k * batch to (k + 1) * batch - 1 of the order, or the part of them that this
 * process computes.
 */
final class ImageBatches implements MicroBatches<ImageBatch>, AutoCloseable {
    private static final int BATCHES_AHEAD = 2;

    private final int batch;
    private final VisionConfig vision;
    private final Latents latents;
    private final LongFunction<ImageLoader<TrainingSample>> loaders; // by the step that they begin with
    private final BadShare badShare;
    private final Sharding sharding;
    private ImageLoader<TrainingSample> loader;
    private long next;

    /**
     * Starts to prepare samples.
     *
     * @param vision the tower's
     * @param firstStep whose micro-batches are asked for first
     * @param sharding what of each step is asked for
     * @param problems told of every image that is skipped
     */
    ImageBatches(
            Recipe recipe,
            ImageSet images,
            SamplePreparation preparation,
            Latents latents,
            VisionConfig vision,
            long firstStep,
            Sharding sharding,
            Consumer<DataProblem> problems) {
        this.batch = Math.toIntExact(sharding.shard().count());
        this.vision = vision;
        this.latents = latents;
        this.sharding = sharding;
        this.badShare = new BadShare(recipe.maxBadShare());
        this.next = firstStep * recipe.train().accumulate();
        int ahead = BATCHES_AHEAD * batch + recipe.workers();
        ImageLoader.Settings settings =
                new ImageLoader.Settings(0, sharding::position, recipe.workers(), ahead, ImageDecoder.reference());
        SampleOrder order = new SampleOrder(images.size(), recipe.seed(), recipe.shuffle());
        Consumer<DataProblem> lost = problem -> {
            problems.accept(problem);
            badShare.lost(problem);
        };
        this.loaders =
                step -> new ImageLoader<>(images, order, settings.from(step * sharding.images()), preparation, lost);
        this.loader = loaders.apply(firstStep);
    }

    @Override
    public ImageBatch at(long position) {
        if (!sharding.isMine(position)) {
            throw new IllegalStateException("micro-batch " + position + " is that of another process");
        }
        if (position < next) { // a step again
            loader.close();
            loader = loaders.apply(position / sharding.accumulation());
        }
        next = position + 1;
        List<String> names = new ArrayList<>();
        List<TrainingSample> samples = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            badShare.asked();
            ImageLoader.Sample<TrainingSample> sample = loader.next();
            names.add(sample.name());
            samples.add(sample.value());
        }
        boolean hasSecond = samples.get(0).secondView() != null;
        return new ImageBatch(
                names,
                joined(samples, TrainingSample::towerPixels),
                latents.of(samples),
                hasSecond ? joined(samples, TrainingSample::secondView) : null);
    }

    private Tensor joined(List<TrainingSample> samples, Function<TrainingSample, float[]> part) {
        return PixelBatch.of(vision, samples.stream().map(part).toList());
    }

    @Override
    public void close() {
        loader.close();
    }
}
