package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipThreadsTest {
    private static final int THREADS = 8;
    private static final Offset<Float> ROUNDING = Offset.offset(1e-5f);

    @TempDir
    private Path temp;

    private static BufferedImage image(int shade) {
        BufferedImage image = new BufferedImage(40, 36, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(new Color(shade * 20 % 256, shade * 70 % 256, 200));
        graphics.fillRect(shade, 3, 20, 20);
        graphics.dispose();
        return image;
    }

    private Path file(int shade) throws IOException {
        Path file = temp.resolve(shade + ".png");
        ImageIO.write(image(shade), "png", file.toFile());
        return file;
    }

    private static void assertNear(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], ROUNDING);
        }
    }

    @Test
    void filesAndImagesOfTheJdkGiveTheSameEmbeddings() throws IOException {
        try (Clip clip = Clip.load(Golden.model("clip-hf-vit"), Clip.Options.DEFAULT)) {
            float[][] files = clip.embed(file(1), file(2));
            assertNear(clip.embed(image(1)), files[0]);
            assertNear(clip.embed(image(2)), files[1]);
            assertThat(clip.embed(List.of("a cat"))).isDeepEqualTo(clip.encodeTexts(List.of("a cat")));
            assertThat(clip.embed()).isEmpty();
            Path none = temp.resolve("none.png");
            assertThatThrownBy(() -> clip.embed(none))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(none.toString());
        }
    }

    @Test
    void eightThreadsGetWhatOneGets() throws Exception {
        try (Clip clip = Clip.load(Golden.model("clip-hf-vit"))) {
            List<Callable<float[][]>> calls = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                int shade = thread;
                calls.add(() -> {
                    try (PointerScope scope = new PointerScope()) { // what a thread frees, others do not miss
                        return new float[][] {clip.embed(image(shade)), clip.embed(List.of("number " + shade))[0]};
                    }
                });
            }
            for (int round = 0; round < 3; round++) {
                List<float[][]> answers = together(calls);
                for (int thread = 0; thread < THREADS; thread++) {
                    assertNear(answers.get(thread)[0], clip.embed(image(thread)));
                    assertNear(answers.get(thread)[1], clip.embed(List.of("number " + thread))[0]);
                }
            }
        }
    }

    private static <T> List<T> together(List<Callable<T>> calls) throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<T> answers = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(calls)) {
                answers.add(future.get());
            }
            return answers;
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void whatGathersIsComputedTogetherAndAWrongRequestFailsAlone() throws InterruptedException {
        List<Integer> batches = new ArrayList<>();
        Object model = new Object();
        JointBatches joint = new JointBatches(model, 4, JointBatches.PATIENCE, rows -> {
            batches.add(rows.size());
            if (rows.stream().anyMatch(row -> row.length == 0)) {
                throw new IllegalArgumentException("no values");
            }
            return rows;
        });
        ConcurrentHashMap<Integer, Object> answers = new ConcurrentHashMap<>();
        List<Thread> threads = new ArrayList<>();
        synchronized (model) {
            for (int i = 0; i < 5; i++) {
                int number = i;
                Thread thread = new Thread(() -> answers.put(number, answer(joint, new float[number])));
                thread.start();
                threads.add(thread);
                while (thread.getState() != Thread.State.BLOCKED) {
                    Thread.onSpinWait();
                }
            }
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(batches).containsExactly(4, 1, 1, 1, 1, 1); // four together, each alone after the failure; the fifth
        assertThat(answers.get(0)).isEqualTo("no values");
        for (int i = 1; i < 5; i++) {
            assertThat(answers.get(i)).isEqualTo(i);
        }
    }

    private static Object answer(JointBatches joint, float... row) {
        try {
            return joint.run(List.of(row))[0].length;
        } catch (IllegalArgumentException e) {
            return e.getMessage();
        }
    }

    @Test
    void aClosedOneSaysSo() {
        Clip clip = Clip.load(Golden.model("clip-hf-vit"));
        clip.close();
        clip.close();
        assertThatThrownBy(() -> clip.embed(image(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("this Clip is closed");
        assertThatThrownBy(() -> clip.embed(List.of("a cat"))).hasMessage("this Clip is closed");
        assertThatThrownBy(clip::tokenizer).hasMessage("this Clip is closed");
        assertThatThrownBy(() -> clip.encodeTokens(List.of())).hasMessage("this Clip is closed");
    }
}
