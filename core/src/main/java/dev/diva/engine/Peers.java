package dev.diva.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.TCPStore;

/**
 * Who of the processes is still there. Each counts up a number in the store; when an exchange breaks, the one whose number stands still
 * is named. Uses a connection of its own, because a store's connection serves one thread at a time.
 */
final class Peers implements AutoCloseable {
    private static final long BEAT_MILLIS = 1_000;
    /** Several beats of a busy machine. */
    private static final long WATCH_MILLIS = 8_000;

    private final ProcessPlace place;
    private final TCPStore store;
    private volatile boolean closed;
    private volatile String failure; // what a process said before it left
    private int gathered;

    Peers(ProcessPlace place) {
        this.place = place;
        this.store = Rendezvous.connect(place, false, Duration.ofSeconds(30));
        Thread thread = new Thread(this::beat, "heartbeat");
        thread.setDaemon(true);
        thread.start();
    }

    private void beat() {
        while (!closed) {
            try {
                synchronized (this) {
                    if (!closed) {
                        store.add("beat/" + place.rank(), 1);
                        failure = Rendezvous.failure(store);
                    }
                }
                Thread.sleep(BEAT_MILLIS);
            } catch (InterruptedException | RuntimeException e) {
                return; // rank 0 is gone; the next exchange says so
            }
        }
    }

    /** Tells the others why this process leaves. */
    void fail(String reason) {
        synchronized (this) {
            Rendezvous.fail(store, reason);
        }
        Rendezvous.pause(2 * BEAT_MILLIS); // in which every other process hears of it
        closed = true;
    }

    /** What each process says, by rank. */
    List<String> gather(String mine) {
        String key = "gather/" + gathered++ + "/";
        List<String> all = new ArrayList<>();
        synchronized (this) {
            store.set(key + place.rank(), mine);
        }
        for (int rank = 0; rank < place.world(); rank++) {
            while (!has(key + rank)) {
                if (failure != null) {
                    throw explain(new IllegalStateException(failure));
                }
                Rendezvous.pause();
            }
            synchronized (this) {
                all.add(store.get_to_str(key + rank));
            }
        }
        return all;
    }

    private synchronized boolean has(String key) {
        return Rendezvous.has(store, key);
    }

    /** One line that says which process broke an exchange; takes seconds. */
    ProcessesException explain(RuntimeException cause) {
        String reason;
        try {
            reason = reason(Rendezvous.firstLine(cause));
        } catch (RuntimeException storeLost) {
            reason = failure == null ? "rank 0 is gone" : failure;
        }
        return new ProcessesException(
                "rank " + place.rank() + " stops: " + reason + "; continue from the last checkpoint with --resume",
                cause);
    }

    private String reason(String broken) {
        String said = said();
        if (said != null) {
            return said;
        }
        long[] before = beats();
        for (long waited = 0; waited < WATCH_MILLIS; waited += 250) {
            Rendezvous.pause(250);
            said = said();
            if (said != null) {
                return said;
            }
        }
        long[] after = beats();
        List<Integer> gone = new ArrayList<>();
        for (int rank = 0; rank < place.world(); rank++) {
            if (rank != place.rank() && after[rank] == before[rank]) {
                gone.add(rank);
            }
        }
        return gone.isEmpty()
                ? "an exchange with the other processes failed: " + broken
                : "rank " + Rendezvous.join(gone) + " of " + place.world() + " is gone";
    }

    private synchronized String said() {
        return failure != null ? failure : Rendezvous.failure(store);
    }

    private synchronized long[] beats() {
        long[] beats = new long[place.world()];
        for (int rank = 0; rank < beats.length; rank++) {
            beats[rank] = store.add("beat/" + rank, 0);
        }
        return beats;
    }

    /** Leaves; rank 0, which serves the store, waits a little for the others. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            synchronized (this) {
                store.add("left", 1);
            }
            for (int i = 0; place.rank() == 0 && i < 100 && store.add("left", 0) < place.world(); i++) {
                Rendezvous.pause();
            }
        } catch (RuntimeException e) {
            return; // rank 0 went first
        }
    }
}
