package dev.diva.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.TCPStore;

/**
 * Who of the processes is still there. Each counts up a number in the store; when an exchange breaks, the one whose number stands still
 * is named. Uses a connection of its own, because a store's connection serves one thread at a time.
 */
final class Peers implements AutoCloseable {
    private static final long BEAT_MILLIS = 1_000;
    private static final long POLL_MILLIS = 50;
    /** Several beats of a busy machine. */
    private static final long WATCH_MILLIS = 8_000;
    /** After which a process that others wait for is asked whether it still lives. */
    private static final long LOOK_MILLIS = 30_000;

    private final ProcessPlace place;
    private final Duration exchangeTimeout;
    private final TCPStore store;
    private volatile boolean closed;
    private volatile String failure; // what a process said before it left
    private final AtomicLong entered = new AtomicLong();
    private int gathered;

    /** @param exchangeTimeout of the exchanges that may break */
    Peers(ProcessPlace place, Duration exchangeTimeout) {
        this.place = place;
        this.exchangeTimeout = exchangeTimeout;
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
                        store.set("entered/" + place.rank(), Long.toString(entered.get()));
                        failure = Rendezvous.failure(store);
                    }
                }
                Thread.sleep(BEAT_MILLIS);
            } catch (InterruptedException | RuntimeException e) {
                return; // rank 0 is gone; the next exchange says so
            }
        }
    }

    /** Counts an exchange that this process comes to, so that the one that others wait for can be told. */
    void entered() {
        entered.incrementAndGet();
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
        try {
            for (int rank = 0; rank < place.worldSize(); rank++) {
                await(key + rank);
                synchronized (this) {
                    all.add(store.get_to_str(key + rank));
                }
            }
        } catch (ProcessGroupException e) {
            throw e;
        } catch (RuntimeException e) {
            throw explain(e);
        }
        return all;
    }

    /** Polls, so that the heartbeat goes on meanwhile. */
    private void await(String key) {
        long[] before = beats();
        for (long waited = POLL_MILLIS; !has(key); waited += POLL_MILLIS) {
            if (failure != null) {
                throw explain(new IllegalStateException(failure));
            }
            Rendezvous.pause(POLL_MILLIS);
            if (waited % LOOK_MILLIS == 0) {
                long[] after = beats();
                if (!still(before, after).isEmpty()) {
                    throw explain(new IllegalStateException("a process is gone"));
                }
                before = after;
            }
        }
    }

    private synchronized boolean has(String key) {
        return Rendezvous.has(store, key);
    }

    /** One line that says which process broke an exchange; takes seconds. */
    ProcessGroupException explain(RuntimeException cause) {
        return broken(cause)
                .orElseGet(() ->
                        stops("an exchange with the other processes failed: " + Rendezvous.firstLine(cause), cause));
    }

    /** The same; empty when all processes are there and have come as far as this one. */
    Optional<ProcessGroupException> broken(RuntimeException cause) {
        String reason;
        try {
            reason = reason();
        } catch (RuntimeException storeLost) {
            reason = failure == null ? "rank 0 is gone" : failure;
        }
        return Optional.ofNullable(reason).map(known -> stops(known, cause));
    }

    private ProcessGroupException stops(String reason, RuntimeException cause) {
        return new ProcessGroupException(
                "rank " + place.rank() + " stops: " + reason + "; start it again (a training with --resume)", cause);
    }

    /** What broke an exchange, told to the others as well; null when all are there. */
    private String reason() {
        String said = said();
        long[] before = beats();
        for (long waited = 0; said == null && waited < WATCH_MILLIS; waited += 250) {
            Rendezvous.pause(250);
            said = said();
        }
        if (said != null) {
            return said;
        }
        List<Integer> gone = still(before, beats());
        List<Integer> late = gone.isEmpty() ? late() : List.of();
        if (gone.isEmpty() && late.isEmpty()) {
            return null;
        }
        String reason = gone.isEmpty()
                ? "rank " + Rendezvous.join(late) + " of " + place.worldSize()
                        + " hangs: it did not come to an exchange within " + exchangeTimeout.toSeconds() + " s"
                : "rank " + Rendezvous.join(gone) + " of " + place.worldSize() + " is gone";
        synchronized (this) {
            Rendezvous.fail(store, reason);
        }
        return reason;
    }

    private List<Integer> still(long[] before, long[] after) {
        return others().filter(rank -> after[rank] == before[rank]).boxed().toList();
    }

    /** Those that have come to fewer exchanges than this process. */
    private synchronized List<Integer> late() {
        return others().filter(rank -> entered(rank) < entered.get()).boxed().toList();
    }

    private long entered(int rank) {
        String key = "entered/" + rank;
        return Rendezvous.has(store, key) ? Long.parseLong(store.get_to_str(key)) : 0;
    }

    private IntStream others() {
        return IntStream.range(0, place.worldSize()).filter(rank -> rank != place.rank());
    }

    private synchronized String said() {
        return failure != null ? failure : Rendezvous.failure(store);
    }

    private synchronized long[] beats() {
        long[] beats = new long[place.worldSize()];
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
            for (int i = 0; place.rank() == 0 && i < 100 && store.add("left", 0) < place.worldSize(); i++) {
                Rendezvous.pause();
            }
        } catch (RuntimeException e) {
            return; // rank 0 went first
        }
    }
}
