package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * A linear classifier on frozen features with the protocol of CLIP_benchmark: L2-normalised features, softmax cross-entropy, AdamW, rate
 * on a half cosine from the first step to 0, no warm-up. One seeded generator draws the weights, class by class, then the biases, then
 * the order of the samples of each epoch, so the same input gives the same bits.
 */
public final class LinearProbe {
    private final float[][] weight; // [classes, width]
    private final float[] bias; // [classes]

    /**
     * How a probe learns.
     *
     * @param lr rate of the first step
     * @param weightDecay decoupled, of weights and biases
     */
    public record Settings(int epochs, int batchSize, double lr, double weightDecay, long seed) {
        /** CLIP_benchmark's defaults: 10 epochs of batches of 64, rate 0.1, no decay. */
        public static final Settings DEFAULT = new Settings(10, 64, 0.1, 0, 0);

        public Settings {
            if (epochs < 1 || batchSize < 1 || !(lr > 0) || !(weightDecay >= 0)) {
                throw new IllegalArgumentException("linear probe: epochs " + epochs + ", batch " + batchSize + ", rate "
                        + lr + ", decay " + weightDecay + "; expected 1 or more, 1 or more, above 0, 0 or more");
            }
        }
    }

    private LinearProbe(float[][] weight, float[] bias) {
        this.weight = weight;
        this.bias = bias;
    }

    /**
     * Trains a probe.
     *
     * @param features a row per sample, of any length
     * @param labels 0..numClasses-1
     * @throws BadInputException for no samples or a label out of range
     */
    public static LinearProbe train(float[][] features, int[] labels, int numClasses, Settings settings) {
        if (features.length == 0 || features.length != labels.length) {
            throw new BadInputException("linear probe: " + features.length + " features with " + labels.length
                    + " labels; expected a label each, and at least one");
        }
        RandomGenerator random = generator(settings.seed);
        float bound = (float) (1 / Math.sqrt(features[0].length)); // as torch.nn.Linear
        float[][] weight = new float[numClasses][features[0].length];
        float[] bias = new float[numClasses];
        for (float[] row : weight) {
            fill(row, random, bound);
        }
        fill(bias, random, bound);
        LinearProbe probe = new LinearProbe(weight, bias);
        probe.learn(Vectors.units(features), labels, settings, random);
        return probe;
    }

    /** A probe that learns from given weights, for comparison with the reference. */
    static LinearProbe train(float[][] weight, float[] bias, float[][] features, int[] labels, Settings settings) {
        LinearProbe probe = new LinearProbe(weight, bias);
        probe.learn(Vectors.units(features), labels, settings, generator(settings.seed));
        return probe;
    }

    /**
     * The first k samples of each class in a seeded order.
     *
     * @return row numbers
     * @throws BadInputException when a class has fewer
     */
    public static int[] shots(int[] labels, int numClasses, int k, long seed) {
        int[] order = new int[labels.length];
        Arrays.setAll(order, i -> i);
        shuffle(order, generator(seed));
        int[] seen = new int[numClasses];
        List<Integer> rows = new ArrayList<>();
        for (int row : order) {
            if (seen[labels[row]]++ < k) {
                rows.add(row);
            }
        }
        for (int c = 0; c < numClasses; c++) {
            if (seen[c] < k) {
                throw new BadInputException("class " + c + " has " + seen[c] + " training images, fewer than " + k);
            }
        }
        return rows.stream().mapToInt(Integer::intValue).toArray();
    }

    /** One logit per class. */
    public float[] logits(float[] feature) {
        return scores(Vectors.unit(feature));
    }

    /** The class of the highest logit; equal ones go to the first. */
    public int predict(float[] feature) {
        float[] logits = logits(feature);
        int best = 0;
        for (int c = 1; c < logits.length; c++) {
            best = logits[c] > logits[best] ? c : best;
        }
        return best;
    }

    /** The classes of many. */
    public int[] predict(float[][] features) {
        return Arrays.stream(features).mapToInt(this::predict).toArray();
    }

    private float[] scores(float[] unit) {
        float[] scores = new float[bias.length];
        for (int c = 0; c < scores.length; c++) {
            scores[c] = (float) (Vectors.dot(weight[c], unit) + bias[c]);
        }
        return scores;
    }

    private void learn(float[][] units, int[] labels, Settings settings, RandomGenerator random) {
        for (int i = 0; i < labels.length; i++) {
            ClassificationMetrics.requireLabel(labels[i], bias.length, "training sample " + i);
        }
        int[] order = new int[units.length];
        Arrays.setAll(order, i -> i);
        int stepsPerEpoch = (units.length + settings.batchSize - 1) / settings.batchSize;
        ProbeOptimizer optimizer = new ProbeOptimizer(weight, bias, settings, settings.epochs * stepsPerEpoch);
        for (int epoch = 0; epoch < settings.epochs; epoch++) {
            shuffle(order, random);
            for (int from = 0; from < order.length; from += settings.batchSize) {
                int to = Math.min(order.length, from + settings.batchSize);
                step(optimizer, units, labels, Arrays.copyOfRange(order, from, to));
            }
        }
    }

    private void step(ProbeOptimizer optimizer, float[][] units, int[] labels, int[] batch) {
        for (int row : batch) {
            double[] gradient = softmax(scores(units[row])); // of the mean loss for the logits
            gradient[labels[row]] -= 1;
            for (int c = 0; c < gradient.length; c++) {
                optimizer.accumulate(c, units[row], (float) (gradient[c] / batch.length));
            }
        }
        optimizer.step();
    }

    private static double[] softmax(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double[] exponentials = new double[logits.length];
        double sum = 0;
        for (int c = 0; c < logits.length; c++) {
            exponentials[c] = Math.exp(logits[c] - largest);
            sum += exponentials[c];
        }
        for (int c = 0; c < logits.length; c++) {
            exponentials[c] /= sum;
        }
        return exponentials;
    }

    private static RandomGenerator generator(long seed) {
        return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    private static void fill(float[] values, RandomGenerator random, float bound) {
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat(-bound, bound);
        }
    }

    private static void shuffle(int[] order, RandomGenerator random) {
        for (int i = order.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int moved = order[i];
            order[i] = order[other];
            order[other] = moved;
        }
    }
}
