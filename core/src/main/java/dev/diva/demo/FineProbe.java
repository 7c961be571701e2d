package dev.diva.demo;

import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.data.ImageDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.hipparchus.stat.descriptive.moment.Mean;
import org.hipparchus.stat.descriptive.moment.StandardDeviation;

/**
 * What of the fine attributes can be read from features by linear classifiers, one a question ("cup.handle"): share of right answers
 * over all questions of the test images. Chance lies near 37 %, as questions have 2 to 12 answers.
 */
final class FineProbe {
    private static final int FIRST_QUESTION = 3; // image, gist, caption come before
    private static final double PENALTY = 1e-3;

    private final Table train;
    private final Table test;

    FineProbe(Path world) {
        this.train = Table.read(world.resolve("probe-train"));
        this.test = Table.read(world.resolve("probe-test"));
    }

    /** Right answers to all questions that the test images have an answer to. */
    record Score(int right, int asked) {
        double share() {
            return (double) right / asked;
        }

        Score plus(Score other) {
            return new Score(right + other.right, asked + other.asked);
        }
    }

    /** Probes of the class token and of the mean of the local tokens. */
    record Scores(Score classToken, Score meanLocal) {}

    Scores of(Clip clip) {
        Features learned = Features.of(clip, train);
        Features asked = Features.of(clip, test);
        standardise(learned.classToken, asked.classToken);
        standardise(learned.meanLocal, asked.meanLocal);
        return new Scores(score(learned.classToken, asked.classToken), score(learned.meanLocal, asked.meanLocal));
    }

    /** Mean 0 and deviation 1 of each dimension over the training images: what all images share would hide what differs. */
    private static void standardise(float[][] learned, float[][] asked) {
        for (int axis = 0; axis < learned[0].length; axis++) {
            StandardDeviation deviation = new StandardDeviation();
            Mean mean = new Mean();
            for (float[] row : learned) {
                mean.increment(row[axis]);
                deviation.increment(row[axis]);
            }
            float shift = (float) mean.getResult();
            float scale = (float) (1 / Math.max(deviation.getResult(), Float.MIN_NORMAL));
            for (float[][] rows : new float[][][] {learned, asked}) {
                for (float[] row : rows) {
                    row[axis] = (row[axis] - shift) * scale;
                }
            }
        }
    }

    private Score score(float[][] learned, float[][] asked) {
        Score sum = new Score(0, 0);
        for (String question : train.questions) {
            sum = sum.plus(score(question, learned, asked));
        }
        return sum;
    }

    private Score score(String question, float[][] learned, float[][] asked) {
        List<String> classes = List.copyOf(new TreeSet<>(train.answers(question)));
        if (classes.size() < 2) {
            return new Score(0, 0);
        }
        int[] rows = train.rows(question, classes);
        int[] testRows = test.rows(question, classes);
        if (testRows.length == 0) {
            return new Score(0, 0);
        }
        RidgeClassifier probe = RidgeClassifier.fit(
                select(learned, rows), train.labels(question, classes, rows), classes.size(), PENALTY);
        int[] truth = test.labels(question, classes, testRows);
        int[] found = probe.predict(select(asked, testRows));
        int right = 0;
        for (int i = 0; i < truth.length; i++) {
            right += found[i] == truth[i] ? 1 : 0;
        }
        return new Score(right, truth.length);
    }

    private static float[][] select(float[][] features, int[] rows) {
        return Arrays.stream(rows).mapToObj(row -> features[row]).toArray(float[][]::new);
    }

    private record Features(float[][] classToken, float[][] meanLocal) {
        private static final int AT_ONCE = 256;

        static Features of(Clip clip, Table table) {
            List<float[]> classTokens = new ArrayList<>();
            List<float[]> means = new ArrayList<>();
            for (int from = 0; from < table.images.size(); from += AT_ONCE) {
                List<float[]> pixels =
                        table.images.subList(from, Math.min(from + AT_ONCE, table.images.size())).parallelStream()
                                .map(file -> pixels(clip, file))
                                .toList();
                for (float[] tokens : clip.encodeTokens(pixels)) {
                    classTokens.add(Arrays.copyOf(tokens, clip.embeddingDim()));
                    means.add(mean(tokens, clip.embeddingDim()));
                }
            }
            return new Features(classTokens.toArray(float[][]::new), means.toArray(float[][]::new));
        }

        private static float[] pixels(Clip clip, Path file) {
            try {
                return clip.preprocessing()
                        .pixels(ImageDecoder.reference().decode(Files.readAllBytes(file), file.toString()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static float[] mean(float[] tokens, int width) {
            float[] mean = new float[width];
            int local = tokens.length / width - 1;
            for (int i = width; i < tokens.length; i++) {
                mean[i % width] += tokens[i] / local;
            }
            return mean;
        }
    }

    /** Images and what is asked of them. */
    private record Table(List<Path> images, List<String> questions, List<CSVRecord> rows) {
        static Table read(Path folder) {
            Path file = folder.resolve("labels.csv");
            try (CSVParser parser = CSVFormat.DEFAULT
                    .builder()
                    .setHeader()
                    .setSkipHeaderRecord(true)
                    .get()
                    .parse(Files.newBufferedReader(file, StandardCharsets.UTF_8))) {
                List<String> names = parser.getHeaderNames();
                List<CSVRecord> rows = parser.getRecords();
                List<Path> images = rows.stream()
                        .map(row -> folder.resolve(row.get("image")))
                        .toList();
                return new Table(images, names.subList(FIRST_QUESTION, names.size()), rows);
            } catch (IOException e) {
                throw new BadInputException(file + ": cannot be read: " + e, e);
            }
        }

        List<String> answers(String question) {
            return rows.stream()
                    .map(row -> row.get(question))
                    .filter(answer -> !answer.isEmpty())
                    .toList();
        }

        /** Rows that answer a question with one of the classes. */
        int[] rows(String question, List<String> classes) {
            return java.util.stream.IntStream.range(0, rows.size())
                    .filter(row -> classes.contains(rows.get(row).get(question)))
                    .toArray();
        }

        int[] labels(String question, List<String> classes, int[] chosen) {
            return Arrays.stream(chosen)
                    .map(row -> classes.indexOf(rows.get(row).get(question)))
                    .toArray();
        }
    }
}
