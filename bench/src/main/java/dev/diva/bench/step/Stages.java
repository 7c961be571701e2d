package dev.diva.bench.step;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Times of the stages of a step over several steps, and the table of them. */
final class Stages {
    private final int steps;
    private final Map<String, Stage> stages = new LinkedHashMap<>();
    private long last;
    private int step;

    /** @param steps that count; the first one of all warms up */
    Stages(int steps) {
        this.steps = steps;
    }

    private static final class Stage {
        private final double[] seconds;
        private double operations;

        Stage(int steps) {
            this.seconds = new double[steps];
        }

        double median() {
            double[] sorted = seconds.clone();
            Arrays.sort(sorted);
            return sorted[sorted.length / 2];
        }
    }

    /** Begins a step; 0 is the warm-up. */
    void begin(int number) {
        step = number;
        last = System.nanoTime();
    }

    /** Ends a stage that began with the end of the one before. */
    void end(String name, double operations) {
        long now = System.nanoTime();
        if (step > 0) {
            Stage stage = stages.computeIfAbsent(name, key -> new Stage(steps));
            stage.seconds[step - 1] += (now - last) * 1e-9;
            stage.operations = operations;
        }
        last = now;
    }

    /** @param peak measured matrix product, 10^9 operations a second */
    String table(double peak) {
        double time = stages.values().stream().mapToDouble(Stage::median).sum();
        double work =
                stages.values().stream().mapToDouble(stage -> stage.operations).sum();
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT, "%-22s%9s%8s%10s%10s%9s%n", "stage", "seconds", "share", "TFLOP", "GFLOP/s", "of peak"));
        stages.forEach((name, stage) -> table.append(row(name, stage.median(), time, stage.operations, peak)));
        return table.append(row("step", time, time, work, peak)).toString();
    }

    private static String row(String name, double seconds, double all, double operations, double peak) {
        String begin = String.format(Locale.ROOT, "%-22s%9.3f%7.1f%%", name, seconds, 100 * seconds / all);
        if (operations == 0) {
            return begin + System.lineSeparator();
        }
        double speed = operations / seconds * 1e-9;
        return String.format(
                Locale.ROOT, "%s%10.3f%10.0f%8.0f%%%n", begin, operations * 1e-12, speed, 100 * speed / peak);
    }
}
