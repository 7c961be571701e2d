package dev.diva.train;

import dev.diva.engine.ProcessGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The losses of a step, each draw of each micro-batch, and which images they came from. */
final class StepLosses {
    private final ProcessGroup processGroup;
    private final Sharding sharding;
    private final int accumulation;
    private final Map<Integer, Losses> own = new TreeMap<>();
    private final Map<Integer, List<String>> names = new TreeMap<>();

    private final List<String> penalties;
    private double[] all; // of every micro-batch: losses of its draws, then its penalties

    /** @param penalties names of what follows the losses of the draws */
    StepLosses(ProcessGroup processGroup, Sharding sharding, List<String> penalties) {
        this.processGroup = processGroup;
        this.sharding = sharding;
        this.accumulation = sharding.accumulation();
        this.penalties = penalties;
    }

    /** Losses of each draw of a micro-batch, or of this process's part of it, then its penalties. */
    void add(int microBatch, List<String> images, Losses losses) {
        own.put(microBatch, losses);
        names.put(microBatch, images);
    }

    /** Of a step that is left. */
    void close() {
        own.values().forEach(Losses::close);
    }

    /** Images of the step, over all processes. */
    long images() {
        return processGroup.worldSize()
                * names.values().stream().mapToLong(List::size).sum();
    }

    /**
     * Waits for the device, once for the numbers of all micro-batches.
     *
     * @param other one more number, taken over
     * @return its value
     */
    double read(Losses other) {
        List<Losses> all = new ArrayList<>(own.values());
        all.add(other);
        Losses.read(all);
        return other.values()[0];
    }

    /**
     * Brings together what all processes have.
     *
     * @return when a number is not finite: whose, the same line on every process
     */
    Optional<String> exchange(long step) {
        int width = own.values().iterator().next().values().length;
        double[] mine = new double[accumulation * width];
        own.forEach((i, losses) -> {
            double[] values = losses.values();
            for (int draw = 0; draw < width; draw++) {
                mine[i * width + draw] = values[draw] / sharding.ranksPerMicroBatch();
            }
        });
        all = processGroup.sum(mine);
        return Arrays.stream(all).allMatch(Double::isFinite) ? Optional.empty() : Optional.of(notFinite(step));
    }

    /** The losses of the draws of all micro-batches in order. */
    List<Double> ofDraws() {
        int width = all.length / accumulation;
        return IntStream.range(0, all.length)
                .filter(i -> i % width < width - penalties.size())
                .mapToObj(i -> all[i])
                .toList();
    }

    /** Each penalty by name, the mean over the micro-batches. */
    Map<String, Double> penalties() {
        int width = all.length / accumulation;
        Map<String, Double> means = new LinkedHashMap<>();
        for (int p = 0; p < penalties.size(); p++) {
            int first = width - penalties.size() + p;
            double sum = IntStream.range(0, accumulation)
                    .mapToDouble(i -> all[i * width + first])
                    .sum();
            means.put(penalties.get(p), sum / accumulation);
        }
        return means;
    }

    /** What happened to the images of this process. */
    String line(String what, long step) {
        return line(what, step, names.values().stream().flatMap(List::stream));
    }

    /** The processes whose losses are not finite, and the images, the same on every process. */
    private String notFinite(long step) {
        List<String> lines = new ArrayList<>();
        own.forEach((i, losses) -> Arrays.stream(losses.values())
                .filter(loss -> !Double.isFinite(loss))
                .limit(1)
                .forEach(loss -> lines.add(line("loss is " + loss, step, names.get(i).stream()))));
        return processGroup.gatherLines(lines.isEmpty() ? "" : lines.get(0));
    }

    private static String line(String what, long step, Stream<String> images) {
        return what + " in step " + step + ", images " + images.collect(Collectors.joining(", "));
    }
}
