package dev.diva.segment.train;

import dev.diva.Sha256;
import dev.diva.data.BadShare;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageLoader;
import dev.diva.data.ImageSet;
import dev.diva.data.Mix;
import dev.diva.data.RasterImage;
import dev.diva.data.SampleOrder;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.segment.San;
import dev.diva.segment.SanPixels;
import dev.diva.train.MicroBatches;
import dev.diva.train.Sharding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.bytedeco.pytorch.Tensor;

/**
 * Micro-batches of training crops: a crop follows from (seed, epoch, picture) alone, or from (seed, crop, picture) where crops are fixed. All
 * crops of a step are there before its first micro-batch, because the masks of the whole step are counted.
 */
final class SanBatches implements MicroBatches<SanBatch>, AutoCloseable {
    private static final RandomGeneratorFactory<RandomGenerator> GENERATORS =
            RandomGeneratorFactory.of("L64X128MixRandom");

    private final SanRecipe recipe;
    private final SegmentationSet set;
    private final San san;
    private final Sharding sharding;
    private final ProcessGroup processGroup;
    private final ViewCache cache; // or null
    private final Augmentation augmentation;
    private final BadShare badShare;
    private final Consumer<DataProblem> problems;
    private ImageLoader<TrainingCrop> loader; // from the first step that is asked for
    private final List<ImageLoader.Sample<TrainingCrop>> step = new ArrayList<>(); // of this process
    private long stepAt = -1;
    private double masks;

    /**
     * Prepares crops ahead, from the first step that is asked for on.
     *
     * @param processGroup counts the masks of a step together
     * @param cache of what CLIP sees, or null
     * @param problems told of every picture that is skipped
     */
    SanBatches(
            SanRecipe recipe,
            SegmentationSet set,
            San san,
            Sharding sharding,
            ProcessGroup processGroup,
            ViewCache cache,
            Consumer<DataProblem> problems) {
        this.recipe = recipe;
        this.set = set;
        this.san = san;
        this.sharding = sharding;
        this.processGroup = processGroup;
        this.cache = cache;
        this.augmentation = augmentation(recipe, set);
        this.badShare = new BadShare(recipe.maxBadShare());
        this.problems = problems;
    }

    private ImageLoader<TrainingCrop> loader(long firstStep) {
        ImageSet images = new ImageSet(
                set.pairs().stream().map(pair -> ImageEntry.of(pair.image())).toList());
        ImageLoader.Settings settings = new ImageLoader.Settings(
                firstStep * sharding.images(),
                sharding::position,
                recipe.workers(),
                sharding.images() + recipe.workers(),
                SegmentationSet.DECODER);
        SampleOrder order = new SampleOrder(images.size(), recipe.seed(), recipe.shuffle());
        return new ImageLoader<>(images, order, settings, this::prepare, problem -> {
            problems.accept(problem);
            badShare.lost(problem);
        });
    }

    static Augmentation augmentation(SanRecipe recipe, SegmentationSet set) {
        return new Augmentation(
                recipe.shortEdges(),
                recipe.longEdge(),
                recipe.crop(),
                set.layout().ignored(),
                recipe.augment());
    }

    private TrainingCrop prepare(RasterImage image, ImageLoader.Draw draw) {
        SegmentationSet.Pair pair = set.pairs().get(draw.index());
        int[] labels = set.labels(pair, image);
        augmentation.requireFits(image, pair.image().toString()); // whatever edge is drawn
        long view = recipe.crops() == null ? draw.epoch() : draw.epoch() % recipe.crops();
        RandomGenerator random = GENERATORS.create(Mix.of(draw.seed(), view, draw.index()));
        return augmentation.of(image, labels, augmentation.draw(image.width(), image.height(), random));
    }

    @Override
    public SanBatch at(long position) {
        load(position / sharding.accumulation());
        int rows = Math.toIntExact(sharding.shard().count());
        int own = Math.toIntExact(position % sharding.accumulation()) / sharding.microBatchesAtOnce();
        List<ImageLoader.Sample<TrainingCrop>> samples = step.subList(own * rows, (own + 1) * rows);
        List<String> names = samples.stream().map(ImageLoader.Sample::name).toList();
        Tensor pixels = SanPixels.batch(
                samples.stream().map(sample -> sample.value().pixels()).toList(),
                san.clip().preprocessing());
        List<String> keys = cache == null
                ? List.of()
                : samples.stream()
                        .map(sample -> Sha256.of(sample.value().pixels().samples()))
                        .toList();
        return new SanBatch(
                names,
                pixels,
                cache == null ? null : cache.of(keys, pixels),
                samples.stream()
                        .map(sample -> Target.of(sample.value().labels(), recipe.crop(), augmentation.ignored()))
                        .toList(),
                masks,
                position);
    }

    /** The crops of a step, and how many masks its micro-batches have on average; a step may be asked for again. */
    private void load(long wanted) {
        if (wanted == stepAt) {
            return;
        }
        if (loader == null) {
            loader = loader(wanted);
        }
        step.clear();
        for (int i = 0; i < sharding.images(); i++) {
            badShare.asked();
            step.add(loader.next());
        }
        double count = step.stream().mapToLong(this::classes).sum();
        double all = processGroup.sum(count)[0];
        masks = Math.max(1, all / sharding.accumulation());
        stepAt = wanted;
    }

    private long classes(ImageLoader.Sample<TrainingCrop> sample) {
        return Arrays.stream(sample.value().labels())
                .filter(label -> label != augmentation.ignored())
                .distinct()
                .count();
    }

    @Override
    public void close() {
        if (loader != null) {
            loader.close();
        }
    }
}
