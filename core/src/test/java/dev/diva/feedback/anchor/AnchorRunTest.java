package dev.diva.feedback.anchor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.engine.Tensors;
import dev.diva.feedback.EmbeddingCenter;
import dev.diva.feedback.Projection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.LUDecomposition;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The fit of captions: its closed form by another library, what is held out, and going on after a stop. */
class AnchorRunTest {
    private static final int IN = 5;
    private static final int TOKENS = 2;
    private static final int WIDTH = 3;
    private static final double RIDGE = 0.3;

    @TempDir
    private Path folder;

    /** A caption's number decides what both models say of it; conditions are linear in the embedding, with a little noise. */
    private static final class Numbers implements Captioner {
        private final double[][] map = new double[IN][TOKENS * WIDTH];
        private int asked;

        Numbers() {
            Random random = new Random(1);
            for (double[] row : map) {
                for (int i = 0; i < row.length; i++) {
                    row[i] = random.nextGaussian();
                }
            }
        }

        static float[] embedding(String caption) {
            Random random = new Random(caption.hashCode());
            double[] row = random.doubles(IN, 0.1, 1).toArray(); // away from 0, as embeddings are
            double norm = Math.sqrt(
                    IntStream.range(0, IN).mapToDouble(i -> row[i] * row[i]).sum());
            float[] unit = new float[IN];
            for (int i = 0; i < IN; i++) {
                unit[i] = (float) (row[i] / norm);
            }
            return unit;
        }

        float[] condition(String caption) {
            float[] x = embedding(caption);
            Random random = new Random(caption.hashCode() + 1L);
            float[] y = new float[TOKENS * WIDTH];
            for (int j = 0; j < y.length; j++) {
                double sum = 0.5 + 0.01 * random.nextGaussian();
                for (int i = 0; i < IN; i++) {
                    sum += x[i] * map[i][j];
                }
                y[j] = (float) sum;
            }
            return y;
        }

        @Override
        public Tensor embeddings(List<String> captions) {
            asked += captions.size();
            return rows(captions.stream().map(Numbers::embedding).toList(), IN);
        }

        @Override
        public Tensor conditions(List<String> captions) {
            return rows(captions.stream().map(this::condition).toList(), TOKENS * WIDTH)
                    .reshape(captions.size(), TOKENS, WIDTH);
        }

        private static Tensor rows(List<float[]> rows, int width) {
            float[] all = new float[rows.size() * width];
            for (int i = 0; i < rows.size(); i++) {
                System.arraycopy(rows.get(i), 0, all, i * width, width);
            }
            return Tensors.of(all, rows.size(), width);
        }
    }

    private Path captions(int count) throws IOException {
        Path file = folder.resolve("captions.txt");
        Files.write(
                file, IntStream.range(0, count).mapToObj(i -> "caption " + i).toList());
        return file;
    }

    private static Optional<AnchorRun.Result> run(Path captions, Path out, Captioner captioner) {
        return new AnchorRun(captions, out, captioner, Map.of("clip", "a")).run(RIDGE, null, (done, total) -> {});
    }

    /** W = (X'X / n + ridge I)^-1 X'Y / n of centred rows, X scaled to mean square 1, by hipparchus from the same captions. */
    @Test
    void weightsAreThoseOfTheClosedForm() throws IOException {
        Path out = folder.resolve("a.safetensors");
        Numbers numbers = new Numbers();
        AnchorRun.Result result = run(captions(600), out, numbers).orElseThrow();
        List<String> fitted = fitted(600);
        assertThat(result.captions()).isEqualTo(fitted.size());
        assertThat(result.heldOut().captions()).isEqualTo(600 - fitted.size());
        RealMatrix x = centred(fitted.stream().map(Numbers::embedding).toList());
        RealMatrix y = centred(fitted.stream().map(numbers::condition).toList());
        double n = fitted.size();
        double square = Math.pow(x.getFrobeniusNorm(), 2) / (n * IN);
        RealMatrix gram = x.transposeMultiply(x)
                .scalarMultiply(1 / (n * square))
                .add(MatrixUtils.createRealIdentityMatrix(IN).scalarMultiply(RIDGE));
        RealMatrix expected = new LUDecomposition(gram)
                .getSolver()
                .solve(x.transposeMultiply(y).scalarMultiply(1 / (n * Math.sqrt(square))));
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(out)) {
            float[] weight = Tensors.toFloats(file.read("weight"));
            for (int j = 0; j < TOKENS * WIDTH; j++) {
                for (int i = 0; i < IN; i++) {
                    assertThat((double) weight[j * IN + i]).isCloseTo(expected.getEntry(i, j), within(2e-6));
                }
            }
            assertThat(Tensors.toFloats(file.read("text_scale"))[0])
                    .isCloseTo((float) Math.sqrt(square), within(1e-6f));
            assertThat(file.metadata())
                    .containsEntry("captions", Integer.toString(fitted.size()))
                    .containsEntry("ridge", "0.3")
                    .containsEntry("clip", "a");
        }
    }

    /** Those that are not held out, by the rule of the class. */
    private static List<String> fitted(int count) {
        List<String> fitted = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            java.util.zip.CRC32 hash = new java.util.zip.CRC32();
            hash.update(("caption " + i).getBytes(java.nio.charset.StandardCharsets.UTF_8));
            if (hash.getValue() % 10 != 0) {
                fitted.add("caption " + i);
            }
        }
        return fitted;
    }

    private static RealMatrix centred(List<float[]> rows) {
        RealMatrix matrix = new Array2DRowRealMatrix(rows.size(), rows.get(0).length);
        for (int column = 0; column < rows.get(0).length; column++) {
            double mean = 0;
            for (float[] row : rows) {
                mean += row[column] / (double) rows.size();
            }
            for (int row = 0; row < rows.size(); row++) {
                matrix.setEntry(row, column, rows.get(row)[column] - mean);
            }
        }
        return matrix;
    }

    /** Each condition token of a projection of that file has the mean length of the teacher's, whatever embedding it is given. */
    @Test
    void projectionCentresItsInputAndGivesTheTeachersLengths() throws IOException {
        Path out = folder.resolve("a.safetensors");
        Numbers numbers = new Numbers();
        run(captions(400), out, numbers);
        assertThat(Projection.tokensOf(out)).contains(TOKENS);
        try (PointerScope scope = new PointerScope();
                Projection projection = Projection.load(out, IN, TOKENS * WIDTH, new Device("cpu"));
                SafetensorsFile file = SafetensorsFile.open(out)) {
            assertThat(projection.needsCenter()).isTrue();
            projection.centerAt(new EmbeddingCenter(
                    Tensors.toFloats(file.read("text_center")), Tensors.toFloats(file.read("text_scale"))[0]));
            Path written = folder.resolve("trained.safetensors");
            projection.write(written);
            try (Projection again = Projection.load(written, IN, TOKENS * WIDTH, new Device("cpu"))) {
                assertThat(again.needsCenter()).isFalse();
                float[] embedding = Numbers.embedding("new");
                float[] longer = embedding.clone();
                for (int i = 0; i < IN; i++) {
                    longer[i] *= 7; // its length says nothing
                }
                float[] said = Tensors.toFloats(again.forward(Tensors.of(longer, 1, 1, IN)));
                float[] wanted = numbers.condition("new");
                float[] lengths = Tensors.toFloats(file.read("lengths"));
                for (int token = 0; token < TOKENS; token++) {
                    double dot = 0;
                    double length = 0;
                    double own = 0;
                    for (int i = token * WIDTH; i < (token + 1) * WIDTH; i++) {
                        dot += said[i] * wanted[i];
                        length += said[i] * said[i];
                        own += wanted[i] * wanted[i];
                    }
                    assertThat(Math.sqrt(length)).isCloseTo(lengths[token], within(1e-5));
                    assertThat(dot / Math.sqrt(length * own)).isGreaterThan(0.98);
                }
            }
        }
    }

    @Test
    void heldOutCaptionsAreMet() throws IOException {
        HeldOut found = new AnchorRun(captions(3000), folder.resolve("b.safetensors"), new Numbers(), Map.of())
                .run(1e-6, null, (done, total) -> {})
                .orElseThrow()
                .heldOut();
        assertThat(found.captions()).isBetween(200, 400);
        assertThat(found.cosine()).isGreaterThan(0.98); // tokens get their mean length, not their own
        assertThat(found.medianRank()).isLessThan(5); // noise of 0.01, conditions about 0.5 apart
        assertThat(found.meanRank()).isGreaterThanOrEqualTo(1);
    }

    @Test
    void goesOnAfterAStopToTheSameBits() throws IOException {
        Path captions = captions(2000);
        Path straight = folder.resolve("straight.safetensors");
        run(captions, straight, new Numbers());
        Path out = folder.resolve("stopped.safetensors");
        AnchorRun stopped = new AnchorRun(captions, out, new Numbers(), Map.of("clip", "a"));
        assertThat(stopped.run(RIDGE, null, (done, total) -> {
                    if (done > 600) {
                        stopped.stop();
                    }
                }))
                .isEmpty();
        assertThat(out).doesNotExist();
        assertThatThrownBy(() -> new AnchorRun(captions, out, new Numbers(), Map.of("clip", "b"))
                        .run(RIDGE, null, (done, total) -> {}))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("stopped.safetensors.sums: sums of other models or captions");
        Numbers rest = new Numbers();
        run(captions, out, rest);
        assertThat(rest.asked).isLessThan(1500);
        assertThat(out).hasSameBinaryContentAs(straight);
        assertThat(folder.resolve("stopped.safetensors.sums")).doesNotExist();
    }

    @Test
    void refusesWhatIsNoFileOfCaptions() throws IOException {
        Path few = Files.writeString(folder.resolve("few.txt"), "one\n\n  \ntwo\n");
        assertThatThrownBy(() -> run(few, folder.resolve("x"), new Numbers()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("few.txt: 2 captions; expected at least 20");
        Path binary = Files.write(folder.resolve("b.txt"), new byte[] {'a', '\n', (byte) 0xff, (byte) 0xfe, '\n'});
        assertThatThrownBy(() -> run(binary, folder.resolve("x"), new Numbers()))
                .hasMessageContaining("b.txt line 2")
                .hasMessageContaining("not UTF-8");
        Path endless = Files.writeString(folder.resolve("e.txt"), "a".repeat(70_000));
        assertThatThrownBy(() -> run(endless, folder.resolve("x"), new Numbers()))
                .hasMessageContaining("e.txt line 1: longer than 65536 bytes");
        assertThatThrownBy(() -> run(folder.resolve("none.txt"), folder.resolve("x"), new Numbers()))
                .hasMessageContaining("none.txt: missing");
    }
}
