package dev.diva.cli;

import org.jline.utils.Signals;

/** While it is open, SIGTERM, SIGINT and the loss of the launcher ask a run for a checkpoint and a clean end. */
final class StopSignals implements AutoCloseable {
    private final Object oldTerm;
    private final Object oldInt;

    StopSignals(Runnable stop) {
        LauncherWatch.onLost(stop);
        oldTerm = Signals.register("TERM", stop);
        oldInt = Signals.register("INT", stop);
    }

    @Override
    public void close() {
        Signals.unregister("TERM", oldTerm);
        Signals.unregister("INT", oldInt);
    }
}
