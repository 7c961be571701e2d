package dev.diva.train;

import dev.diva.engine.Processes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The losses of a step, each draw of each micro-batch, and which images they came from. */
final class StepLosses {
    private final Team team;
    private final int accumulation;
    private final Map<Integer, double[]> own = new TreeMap<>();
    private final Map<Integer, List<String>> names = new TreeMap<>();

    StepLosses(Team team, int accumulation) {
        this.team = team;
        this.accumulation = accumulation;
    }

    /** Losses of each draw of a micro-batch, or of this process's part of it. */
    void add(int microBatch, List<String> images, double[] losses) {
        own.put(microBatch, losses);
        names.put(microBatch, images);
    }

    /** Images of the step, over all processes. */
    long images() {
        return team.processes().world()
                * names.values().stream().mapToLong(List::size).sum();
    }

    /**
     * The losses of all micro-batches in order, the same on every process.
     *
     * @throws DivergedException on every process when one of them is not finite, with the same line, which names the process
     */
    List<Double> ofAllProcesses(long step) {
        int draws = own.values().iterator().next().length;
        double[] all = new double[accumulation * draws];
        own.forEach((i, losses) -> {
            for (int draw = 0; draw < draws; draw++) {
                all[i * draws + draw] = losses[draw] / team.sharing().slices();
            }
        });
        double[] sums = team.processes().sum(all);
        if (!Arrays.stream(sums).allMatch(Double::isFinite)) {
            throw diverged(notFinite(step));
        }
        return Arrays.stream(sums).boxed().toList();
    }

    /** Fails for a number that is the same on every process and not finite. */
    void requireFinite(String what, double value, long step) {
        if (!Double.isFinite(value)) {
            throw diverged(line(what, value, step, names.values().stream().flatMap(List::stream)));
        }
    }

    /** The processes whose losses are not finite, and the images, the same on every process. */
    private String notFinite(long step) {
        List<String> lines = new ArrayList<>();
        own.forEach((i, losses) -> Arrays.stream(losses)
                .filter(loss -> !Double.isFinite(loss))
                .limit(1)
                .forEach(loss -> lines.add(line("loss", loss, step, names.get(i).stream()))));
        Processes processes = team.processes();
        String rank = processes.world() == 1 ? "" : "rank " + processes.rank() + ": ";
        return processes.gather(lines.isEmpty() ? "" : rank + lines.get(0)).stream()
                .filter(line -> !line.isEmpty())
                .collect(Collectors.joining("; "));
    }

    private static String line(String what, double value, long step, Stream<String> images) {
        return what + " is " + value + " in step " + step + ", images " + images.collect(Collectors.joining(", "));
    }

    private static DivergedException diverged(String what) {
        return new DivergedException(what + "; the weights are those from before this step. Try a lower rate");
    }
}
