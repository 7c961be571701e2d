package dev.diva.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** How far a command is, on the error stream: a bar on a terminal, else a line every ten seconds. */
final class Progress implements AutoCloseable {
    private static final long PAUSE_NANOS = 10_000_000_000L;
    private static final int USUAL_COLUMNS = 80;
    private static final String CLEAR_LINE = "\r\u001b[K";

    private final String task;
    private final long first;
    private final long total;
    private final PrintWriter err;
    private final ProgressBar bar; // null without a terminal
    private final long started = System.nanoTime();
    private long printed = started;

    private Progress(String task, long first, long total, PrintWriter err, ProgressBar bar) {
        this.task = task;
        this.first = first;
        this.total = total;
        this.err = err;
        this.bar = bar;
    }

    /**
     * Starts at 0.
     *
     * @param task a word before the count
     * @param total how many there will be
     */
    static Progress start(String task, long total, PrintWriter err) {
        return startFrom(task, 0, total, err);
    }

    /** Starts where earlier work has ended. */
    static Progress startFrom(String task, long first, long total, PrintWriter err) {
        ProgressBar bar = Boolean.getBoolean("diva.terminal") // set by the script: Java 17 cannot ask for stderr alone
                ? new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(total)
                        .startsFrom(first, Duration.ZERO)
                        .setStyle(ProgressBarStyle.ASCII)
                        // without a width it would ask a terminal of its own, which takes the signals away from our
                        // handlers
                        .setConsumer(new ConsoleProgressBarConsumer(System.err, columns()))
                        .showSpeed()
                        .build()
                : null;
        return new Progress(task, first, total, err, bar);
    }

    /** Of the terminal, as the script found it. */
    private static int columns() {
        int columns = Integer.getInteger("diva.columns", 0);
        return (columns > 0 ? columns : USUAL_COLUMNS) - 1; // a full line would wrap
    }

    /** So many are done by now. */
    void at(long done) {
        at(done, "");
    }

    /** So many are done by now, and a few words on how. */
    void at(long done, String facts) {
        if (bar != null) {
            bar.stepTo(done);
            bar.setExtraMessage(facts);
        } else if (System.nanoTime() - printed > PAUSE_NANOS) {
            printed = System.nanoTime();
            double seconds = (printed - started) / 1e9;
            err.printf(
                    Locale.ROOT,
                    "%s: %d of %d, %.3g/s, %.0f s left%s%n",
                    task,
                    done,
                    total,
                    (done - first) / seconds,
                    (total - done) * seconds / Math.max(1, done - first),
                    facts.isEmpty() ? "" : ", " + facts);
            err.flush();
        }
    }

    /** A line that stays. */
    void note(String line) {
        err.println(bar == null ? line : CLEAR_LINE + line);
        err.flush();
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
