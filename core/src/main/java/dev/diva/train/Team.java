package dev.diva.train;

import dev.diva.engine.Processes;
import java.util.stream.Collectors;

/** The processes of a run, and what of each step this one computes. */
public record Team(Processes processes, Sharing sharing) {
    /**
     * Deals out the steps.
     *
     * @param accumulation micro-batches of a step, over all processes
     * @param batch images of a micro-batch
     * @throws dev.diva.BadInputException when the images of a step cannot be dealt out evenly
     */
    public static Team of(Processes processes, int accumulation, int batch) {
        return new Team(processes, Sharing.of(processes.rank(), processes.world(), accumulation, batch));
    }

    /** What the processes say of themselves, each with its rank where there are several; the same on all, empty if none says anything. */
    String said(String mine) {
        String rank = processes.world() == 1 ? "" : "rank " + processes.rank() + ": ";
        return processes.gather(mine.isEmpty() ? "" : rank + mine).stream()
                .filter(line -> !line.isEmpty())
                .collect(Collectors.joining("; "));
    }

    /** One process that computes every micro-batch whole. */
    static Team alone(int accumulation) {
        return of(Processes.single(), accumulation, 1);
    }
}
