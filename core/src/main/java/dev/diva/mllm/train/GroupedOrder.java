package dev.diva.mllm.train;

import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongToIntFunction;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Generator;

/**
 * LLaVA's order of samples: those with and without image apart, in each the samples of a step of about the same length, dealt out to its
 * micro-batches so that these have about the same length in all. Epoch follows epoch without end. For one thread at a time.
 */
final class GroupedOrder implements LongToIntFunction {
    private final int[] lengths;
    private final int batch;
    private final int microBatches;
    private final long seed;
    private long orderedEpoch = -1;
    private List<Integer> order = List.of();

    /**
     * An order that follows from the seed.
     *
     * @param lengths of each sample, negative without an image
     * @param batch samples of a micro-batch
     * @param microBatches of a step
     */
    GroupedOrder(int[] lengths, int batch, int microBatches, long seed) {
        this.lengths = lengths.clone();
        this.batch = batch;
        this.microBatches = microBatches;
        this.seed = seed;
    }

    @Override
    public int applyAsInt(long position) {
        long epoch = position / lengths.length;
        if (epoch != orderedEpoch) {
            order = order(new RandomStreams(seed).stream("order " + epoch));
            orderedEpoch = epoch;
        }
        return order.get((int) (position % lengths.length));
    }

    /** The order of one epoch, with the draws of LLaVA's sampler. */
    List<Integer> order(Generator generator) {
        List<Integer> withImage = samples(true);
        List<Integer> texts = samples(false);
        if (withImage.isEmpty() || texts.isEmpty()) {
            return grouped(withImage.isEmpty() ? texts : withImage, generator);
        }
        List<List<Integer>> steps = steps(grouped(withImage, generator));
        List<List<Integer>> textSteps = steps(grouped(texts, generator));
        List<Integer> rest = new ArrayList<>(steps.remove(steps.size() - 1));
        rest.addAll(textSteps.remove(textSteps.size() - 1));
        Collections.sort(rest);
        steps.addAll(textSteps);
        List<Integer> all = new ArrayList<>();
        for (long step : permutation(steps.size(), generator)) {
            all.addAll(steps.get((int) step));
        }
        all.addAll(rest);
        return all;
    }

    private List<Integer> samples(boolean withImage) {
        return IntStream.range(0, lengths.length)
                .filter(i -> lengths[i] > 0 == withImage)
                .boxed()
                .toList();
    }

    private List<Integer> grouped(List<Integer> samples, Generator generator) {
        List<Integer> shuffled = new ArrayList<>();
        for (long i : permutation(samples.size(), generator)) {
            shuffled.add(samples.get((int) i));
        }
        List<Integer> all = new ArrayList<>();
        for (List<Integer> step : steps(shuffled)) {
            step.sort(Comparator.comparing((Integer i) -> Math.abs(lengths[i])).reversed());
            all.addAll(dealt(step));
        }
        return all;
    }

    /** To the shortest micro-batch that has room; those of a step that is not full in turn. */
    private List<Integer> dealt(List<Integer> longestFirst) {
        List<List<Integer>> chunks = new ArrayList<>();
        for (int c = 0; c < microBatches; c++) {
            chunks.add(new ArrayList<>());
        }
        int room = longestFirst.size() / microBatches;
        boolean isEven = longestFirst.size() % microBatches == 0;
        double[] total = new double[microBatches];
        for (int i = 0; i < longestFirst.size(); i++) {
            int chunk = i % microBatches;
            if (isEven) {
                chunk = 0;
                for (int c = 1; c < microBatches; c++) {
                    chunk = total[c] < total[chunk] ? c : chunk;
                }
            }
            int sample = longestFirst.get(i);
            chunks.get(chunk).add(sample);
            total[chunk] += Math.abs(lengths[sample]);
            if (chunks.get(chunk).size() == room) {
                total[chunk] = Double.POSITIVE_INFINITY;
            }
        }
        return chunks.stream().flatMap(List::stream).toList();
    }

    private List<List<Integer>> steps(List<Integer> samples) {
        List<List<Integer>> steps = new ArrayList<>();
        int size = batch * microBatches;
        for (int from = 0; from < samples.size(); from += size) {
            steps.add(new ArrayList<>(samples.subList(from, Math.min(samples.size(), from + size))));
        }
        return steps;
    }

    private static long[] permutation(int count, Generator generator) {
        if (count == 0) {
            return new long[0]; // draws nothing
        }
        try (PointerScope scope = new PointerScope()) {
            return Tensors.toLongs(RandomStreams.randperm(generator, count));
        }
    }
}
