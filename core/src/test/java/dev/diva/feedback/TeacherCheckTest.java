package dev.diva.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.NoiseConfig;
import dev.diva.diffusion.NoiseSchedule;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A teacher whose error is what it is told: its losses are known in closed form. */
class TeacherCheckTest {
    @TempDir
    private Path folder;

    private static final NoiseSchedule SCHEDULE = schedule();

    private static NoiseSchedule schedule() {
        float[] betas = new float[100];
        java.util.Arrays.fill(betas, 0.02f);
        return new NoiseSchedule(new NoiseConfig(betas, NoiseConfig.Prediction.EPSILON, false));
    }

    /** Is off by the first number of its condition, everywhere. */
    private record Told(Tensor noise) implements Denoiser {
        @Override
        public Tensor predict(Tensor zt, Tensor timesteps, Condition condition) {
            return noise.add(condition.tokens().reshape(-1, 1, 1, 1));
        }

        @Override
        public long crossAttentionDim() {
            return 1;
        }

        @Override
        public long latentChannels() {
            return 2;
        }
    }

    /** Three images: full is better than wrong for one, worse for one, equal for one. */
    @Test
    void levelsAreTheMeansInUnitsOfTheVelocity() {
        try (PointerScope scope = new PointerScope()) {
            Tensor noise = RandomStreams.randn(new RandomStreams(1).stream("n"), 3, 2, 2, 2);
            TeacherCheck check = new TeacherCheck(new Told(noise), SCHEDULE);
            TeacherCheck.Sums sums = check.at(10, 90);
            sums.add(new TeacherCheck.Batch(
                    noise, noise, told(0.1f, 0.3f, 0.2f), told(0.4f, 0.4f, 0.4f), told(0.2f, 0.1f, 0.2f)));
            List<TeacherCheck.Level> levels = sums.levels();
            for (int i = 0; i < 2; i++) {
                TeacherCheck.Level level = levels.get(i);
                double weight = 1 / SCHEDULE.alphaCumprod(i == 0 ? 10 : 90);
                assertThat(level.full()).isCloseTo(weight * (0.01 + 0.09 + 0.04) / 3, within(1e-5 * weight));
                assertThat(level.gist()).isCloseTo(weight * 0.16, within(1e-5 * weight));
                assertThat(level.wrong()).isCloseTo(weight * (0.04 + 0.01 + 0.04) / 3, within(1e-5 * weight));
                assertThat(level.knows()).isEqualTo(0.5); // one right, one wrong, one tie
                assertThat(level.images()).isEqualTo(3);
            }
        }
    }

    private static Tensor told(float... values) {
        return Tensors.of(values, values.length, 1, 1);
    }

    @Test
    void proposesWhereDetailIsWorthHalfOrMoreOfTheMost() {
        TeacherCheck check = new TeacherCheck(null, SCHEDULE);
        List<TeacherCheck.Level> levels =
                List.of(level(5, 0.01, 0.52), level(40, 0.03, 0.6), level(60, 0.06, 0.7), level(90, 0.05, 0.8));
        assertThat(check.propose(levels)).contains(new TeacherCheck.Range(40, 99));
        List<TeacherCheck.Level> falling = List.of(level(5, 0.06, 0.7), level(40, 0.03, 0.6), level(90, 0.01, 0.8));
        assertThat(check.propose(falling)).contains(new TeacherCheck.Range(5, 40));
        assertThat(check.propose(List.of(level(5, 0.06, 0.52)))).isEmpty(); // within chance of 400 images
        assertThat(check.propose(List.of(level(5, -0.01, 0.9)))).isEmpty();
    }

    private static TeacherCheck.Level level(long timestep, double detail, double knows) {
        return new TeacherCheck.Level(timestep, 1 - detail, 1, 1, Double.NaN, knows, 400);
    }

    @Test
    void readsJsonLinesAndTables() throws IOException {
        Files.writeString(folder.resolve("a.png"), "x");
        Path json = Files.writeString(
                folder.resolve("p.jsonl"),
                "{\"image\": \"a.png\", \"caption\": \"a red cup\", \"gist\": \"a cup\", \"wrong\": \"a blue cup\"}\n\n");
        Path csv = Files.writeString(
                folder.resolve("p.csv"), "wrong,image,more,caption,gist\na blue cup,a.png,1,a red cup,a cup\n");
        List<TeacherPairs.Pair> expected =
                List.of(new TeacherPairs.Pair(folder.resolve("a.png"), "a red cup", "a cup", "a blue cup"));
        assertThat(TeacherPairs.read(json, folder)).isEqualTo(expected);
        assertThat(TeacherPairs.read(csv, folder)).isEqualTo(expected);
    }

    @Test
    void refusesRowsByTheirNumber() throws IOException {
        Files.writeString(folder.resolve("a.png"), "x");
        assertRefused("image,caption,gist,wrong\nb.png,a,b,c\n", "row 2: image b.png: no such file");
        assertRefused("image,caption,gist,wrong\n../a.png,a,b,c\n", "row 2: image ../a.png leads out of");
        assertRefused("image,caption,gist,wrong\na.png,a,,c\n", "row 2: no gist");
        assertRefused("image,caption,gist,wrong\na.png,a,b,a\n", "row 2: wrong is the caption itself");
        assertRefused("image,caption,wrong\na.png,a,b\n", "row 1: the header is [image, caption, wrong]");
        assertRefused("{\"image\": 1}\n", "line 1: no image");
        assertRefused("{\"image\"\n", "line 1: not JSON");
        assertRefused("", "no row");
    }

    private void assertRefused(String text, String problem) throws IOException {
        Path file = Files.writeString(folder.resolve("bad"), text);
        assertThatThrownBy(() -> TeacherPairs.read(file, folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(problem);
    }
}
