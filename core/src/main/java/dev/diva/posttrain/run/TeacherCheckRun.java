package dev.diva.posttrain.run;

import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.data.Box;
import dev.diva.data.Filter;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.Normalize;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.PromptStates;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.feedback.Projection;
import dev.diva.feedback.TeacherCheck;
import dev.diva.feedback.TeacherPairs;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** A teacher asked what it knows of images, a few at a time. */
public final class TeacherCheckRun {
    private static final double[] SHARES = {0.05, 0.15, 0.25, 0.35, 0.45, 0.541, 0.606, 0.7, 0.822, 0.95};
    private static final String STREAM = "noise";

    private TeacherCheckRun() {}

    /**
     * How it is asked.
     *
     * @param resolution side of the central squares, pixels
     * @param draws noises of each image
     * @param seed of them
     * @param timesteps levels
     */
    public record Settings(int resolution, int draws, long seed, long... timesteps) {}

    /**
     * What tells the teacher of captions beside its own text encoder.
     *
     * @param clip embeds them; stays the caller's
     * @param file of {@code diva anchor}
     */
    public record Anchored(Clip clip, Path file) {}

    /** Share of images whose caption has a higher cosine by a CLIP than the wrong one. */
    public static double clipKnows(Clip clip, List<TeacherPairs.Pair> pairs) {
        int right = 0;
        for (TeacherPairs.Pair pair : pairs) {
            float[] image = clip.encodeImages(List.of(clip.preprocessing().pixels(image(pair))))[0];
            float[][] texts = clip.encodeTexts(List.of(pair.caption(), pair.wrong()));
            double lead = 0;
            for (int i = 0; i < image.length; i++) {
                lead += (double) image[i] * (texts[0][i] - texts[1][i]);
            }
            right += lead > 0 ? 1 : 0;
        }
        return (double) right / pairs.size();
    }

    private static RasterImage image(TeacherPairs.Pair pair) {
        ImageEntry entry = ImageEntry.of(pair.image());
        return ImageDecoder.reference().decode(entry.read(), entry.name());
    }

    /** Ten levels of so many timesteps, more of them at high noise. */
    public static long[] levels(int count) {
        return Arrays.stream(SHARES)
                .mapToLong(share -> (long) (share * count))
                .distinct()
                .toArray();
    }

    /**
     * Asks.
     *
     * @param anchored or null
     * @param done told how many noisy images were judged
     * @throws BadInputException when an image cannot be read, or the resolution does not fit the teacher
     */
    public static List<TeacherCheck.Level> of(
            DiffusionModel teacher,
            List<TeacherPairs.Pair> pairs,
            Settings settings,
            Anchored anchored,
            LongConsumer done) {
        long multiple = teacher.autoencoder().downscale() * teacher.latentMultiple();
        if (settings.resolution % multiple != 0) {
            throw new BadInputException("--resolution is " + settings.resolution + ", expected a multiple of "
                    + multiple + ", by which the teacher shrinks images");
        }
        TeacherCheck.Sums sums = new TeacherCheck(teacher.denoiser(), teacher.schedule()).at(settings.timesteps);
        RandomStreams streams = new RandomStreams(settings.seed);
        long judged = 0;
        try (PromptStates prompts = teacher.prompts();
                Projection projection = anchored == null
                        ? null
                        : Projection.ofTexts(
                                anchored.file,
                                teacher.denoiser().crossAttentionDim(),
                                teacher.autoencoder().device())) {
            for (TeacherPairs.Pair pair : pairs) {
                try (PointerScope scope = new PointerScope();
                        NoGradGuard noGrad = new NoGradGuard()) {
                    Tensor clean = teacher.autoencoder().encode(pixels(pair, settings.resolution));
                    Tensor states = prompts.of(List.of(pair.caption(), pair.gist(), pair.wrong()))
                            .states();
                    Tensor told = projection == null ? null : condition(anchored.clip, projection, pair);
                    for (int draw = 0; draw < settings.draws; draw++) {
                        sums.add(new TeacherCheck.Batch(
                                clean,
                                Tensors.onto(
                                        RandomStreams.randn(streams.stream(STREAM), clean.shape()),
                                        clean.device(),
                                        clean.scalar_type()),
                                states.narrow(0, 0, 1),
                                states.narrow(0, 1, 1),
                                states.narrow(0, 2, 1),
                                told));
                        done.accept(++judged);
                    }
                }
            }
        }
        return sums.levels();
    }

    /** [1, tokens, width]. */
    private static Tensor condition(Clip clip, Projection projection, TeacherPairs.Pair pair) {
        float[] row = clip.encodeTexts(List.of(pair.caption()))[0];
        long tokens = projection.tokens();
        return projection.forward(Tensors.of(row, 1, 1, row.length)).reshape(1, tokens, -1);
    }

    private static Tensor pixels(TeacherPairs.Pair pair, int resolution) {
        RasterImage rgb = image(pair).toRgb();
        int side = Math.min(rgb.width(), rgb.height());
        Box center = new Box((rgb.height() - side) / 2, (rgb.width() - side) / 2, side, side);
        float[] values = Normalize.toAutoencoder(Resampler.resize(rgb, center, resolution, resolution, Filter.BICUBIC));
        return Tensors.of(values, 1, 3, resolution, resolution);
    }
}
