package dev.diva.feedback;

import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What a frozen diffusion model knows of an image beyond its gist, by noise level: its loss under the full caption, under the gist alone, and under
 * a caption of which one attribute is wrong, all with the same noise. Losses are of the velocity, whatever the model predicts, so that levels
 * compare.
 */
public final class TeacherCheck {
    /** Two standard errors of a share near one half, for one image. */
    private static final double CHANCE = 1;

    private final Denoiser denoiser;
    private final NoiseSchedule schedule;

    public TeacherCheck(Denoiser denoiser, NoiseSchedule schedule) {
        this.denoiser = denoiser;
        this.schedule = schedule;
    }

    /**
     * Losses at one timestep, means over the images.
     *
     * @param anchored under the full caption as a CLIP embeds it, through a projection; NaN where none was asked for
     * @param knows share of images whose full caption has the lower loss than the wrong one, ties half: 0.5 by chance
     * @param images that were judged
     */
    public record Level(
            long timestep, double full, double gist, double wrong, double anchored, double knows, int images) {
        /** What the detail of a caption is worth: the part of the gist's loss that it takes away. */
        public double detail() {
            return (gist - full) / gist;
        }

        static Level of(long timestep, double[] full, double[] gist, double[] wrong, double[] anchored) {
            double right = 0;
            for (int i = 0; i < full.length; i++) {
                right += full[i] < wrong[i] ? 1 : full[i] == wrong[i] ? 0.5 : 0;
            }
            return new Level(
                    timestep, mean(full), mean(gist), mean(wrong), mean(anchored), right / full.length, full.length);
        }

        private static double mean(double[] values) {
            return Arrays.stream(values).average().orElse(Double.NaN);
        }
    }

    /**
     * Images with what they are told.
     *
     * @param latents clean, fp32 [batch, channels, height, width]
     * @param noise as the latents
     * @param full conditions of the right captions, [batch, tokens, width]
     * @param gist of the captions without detail
     * @param wrong of the captions with one attribute changed
     * @param anchored of the right captions through a projection, or null
     */
    public record Batch(Tensor latents, Tensor noise, Tensor full, Tensor gist, Tensor wrong, Tensor anchored) {
        /** Without a projection. */
        public Batch(Tensor latents, Tensor noise, Tensor full, Tensor gist, Tensor wrong) {
            this(latents, noise, full, gist, wrong, null);
        }
    }

    /** Losses of several batches, to be made levels of. */
    public final class Sums {
        private final long[] timesteps;
        private final List<List<double[]>> losses =
                new ArrayList<>(); // by timestep: full, gist, wrong and anchored of each image

        Sums(long... timesteps) {
            this.timesteps = timesteps.clone();
            for (int i = 0; i < timesteps.length; i++) {
                losses.add(new ArrayList<>());
            }
        }

        /** Judges a batch at every level. */
        public void add(Batch batch) {
            for (int level = 0; level < timesteps.length; level++) {
                double[] full = losses(batch, timesteps[level], batch.full);
                double[] gist = losses(batch, timesteps[level], batch.gist);
                double[] wrong = losses(batch, timesteps[level], batch.wrong);
                double[] anchored = losses(batch, timesteps[level], batch.anchored);
                for (int i = 0; i < full.length; i++) {
                    losses.get(level).add(new double[] {full[i], gist[i], wrong[i], anchored[i]});
                }
            }
        }

        /** What was found, by timestep. */
        public List<Level> levels() {
            List<Level> levels = new ArrayList<>();
            for (int i = 0; i < timesteps.length; i++) {
                levels.add(Level.of(timesteps[i], column(i, 0), column(i, 1), column(i, 2), column(i, 3)));
            }
            return levels;
        }

        private double[] column(int level, int kind) {
            return losses.get(level).stream().mapToDouble(each -> each[kind]).toArray();
        }
    }

    /**
     * Where detail counts: from the first to the last of the levels at which a caption's detail is worth half or more of what it is worth
     * where it is worth most. The last level stands for all above it.
     *
     * @param min first timestep
     * @param max last timestep, included
     */
    public record Range(long min, long max) {}

    /**
     * The range to train at.
     *
     * @param levels by rising timestep
     * @return nothing where detail is worth nothing at any level, or the wrong caption is told from the right one nowhere beyond chance
     */
    public Optional<Range> propose(List<Level> levels) {
        double best = levels.stream().mapToDouble(Level::detail).max().orElse(0);
        if (!(best > 0) || levels.stream().noneMatch(level -> level.knows > 0.5 + CHANCE / Math.sqrt(level.images))) {
            return Optional.empty();
        }
        List<Level> worth =
                levels.stream().filter(level -> level.detail() >= best / 2).toList();
        long max = worth.get(worth.size() - 1).timestep;
        boolean isLast = max == levels.get(levels.size() - 1).timestep;
        return Optional.of(new Range(worth.get(0).timestep, isLast ? schedule.numTrainTimesteps() - 1L : max));
    }

    /** To be given batches. */
    public Sums at(long... timesteps) {
        return new Sums(timesteps);
    }

    /** Squared error of the velocity of each image; NaN for no condition. */
    private double[] losses(Batch batch, long timestep, Tensor tokens) {
        if (tokens == null) {
            double[] none = new double[Math.toIntExact(batch.latents.size(0))];
            Arrays.fill(none, Double.NaN);
            return none;
        }
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor steps = torch.full(
                    new long[] {batch.latents.size(0)}, new Scalar(timestep), new TensorOptions(ScalarType.Long));
            Tensor noisy = schedule.addNoise(batch.latents, batch.noise, steps);
            Tensor error = denoiser.predict(noisy, steps, Condition.of(tokens))
                    .sub(schedule.target(batch.latents, batch.noise, steps));
            float[] each = Tensors.toFloats(error.square().flatten(1, -1).mean(1));
            double weight = schedule.velocityWeight(Math.toIntExact(timestep));
            double[] losses = new double[each.length];
            for (int i = 0; i < each.length; i++) {
                losses[i] = weight * each[i];
            }
            return losses;
        }
    }
}
