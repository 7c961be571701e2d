package dev.diva.train.run;

import dev.diva.data.DataProblem;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageLoader;
import dev.diva.data.ImageSet;
import dev.diva.data.SampleOrder;
import dev.diva.engine.Tensors;
import dev.diva.train.MicroBatch;
import dev.diva.train.MicroBatches;
import dev.diva.train.recipe.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Micro-batches of a set of images: batch k is positions k * batch to (k + 1) * batch - 1 of the order. */
final class ImageBatches implements MicroBatches, AutoCloseable {
    private static final int BATCHES_AHEAD = 2;

    private final int batch;
    private final long imageSize;
    private final Latents latents;
    private final ImageLoader<TrainingSample> loader;
    private long next;

    /**
     * Starts to prepare samples.
     *
     * @param first micro-batch that is asked for first
     * @param problems told of every image that is skipped
     */
    ImageBatches(
            Recipe recipe,
            ImageSet images,
            SamplePreparation preparation,
            Latents latents,
            long imageSize,
            long first,
            Consumer<DataProblem> problems) {
        this.batch = recipe.train().batch();
        this.imageSize = imageSize;
        this.latents = latents;
        this.next = first;
        int ahead = BATCHES_AHEAD * batch + recipe.workers();
        ImageLoader.Settings settings =
                new ImageLoader.Settings(first * batch, 1, recipe.workers(), ahead, ImageDecoder.reference());
        SampleOrder order = new SampleOrder(images.size(), recipe.seed(), recipe.shuffle());
        this.loader = new ImageLoader<>(images, order, settings, preparation, problems);
    }

    @Override
    public MicroBatch at(long position) {
        if (position != next) {
            throw new IllegalStateException("micro-batch " + position + " asked for, " + next + " is next");
        }
        next++;
        List<String> names = new ArrayList<>();
        List<TrainingSample> samples = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            ImageLoader.Sample<TrainingSample> sample = loader.next();
            names.add(sample.name());
            samples.add(sample.value());
        }
        float[] pixels = joined(samples);
        return new MicroBatch(names, Tensors.of(pixels, batch, 3, imageSize, imageSize), latents.of(samples));
    }

    private static float[] joined(List<TrainingSample> samples) {
        int length = samples.get(0).towerPixels().length;
        float[] joined = new float[samples.size() * length];
        for (int i = 0; i < samples.size(); i++) {
            System.arraycopy(samples.get(i).towerPixels(), 0, joined, i * length, length);
        }
        return joined;
    }

    @Override
    public void close() {
        loader.close();
    }
}
