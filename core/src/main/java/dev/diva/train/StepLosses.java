package dev.diva.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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
     * @throws DivergedException on every process when one of them is not finite
     */
    List<Double> ofAllProcesses(long step) {
        int draws = own.values().iterator().next().length;
        double[] all = new double[accumulation * draws];
        own.forEach((i, losses) -> {
            for (int draw = 0; draw < draws; draw++) {
                all[i * draws + draw] = losses[draw] / team.sharing().slices();
            }
        });
        List<Double> losses = new ArrayList<>();
        for (double loss : team.processes().sum(all)) {
            require("loss", loss, step, names.get(losses.size() / draws));
            losses.add(loss);
        }
        return losses;
    }

    /** Fails for a number that is not finite. */
    void requireFinite(String what, double value, long step) {
        require(what, value, step, names.values().stream().flatMap(List::stream).toList());
    }

    private void require(String what, double value, long step, List<String> images) {
        if (!Double.isFinite(value)) {
            throw new DivergedException(what + " is " + value + " in step " + step + ", images "
                    + (images == null ? "of another process" : String.join(", ", images))
                    + "; the weights are those from before this step. Try a lower rate");
        }
    }
}
