package dev.diva.engine;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.StringVector;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;

/**
 * How the processes of a run find each other: rank 0 serves c10d's store, everyone writes there who it is and what it is about to do,
 * and waits until all have. Whoever finds a fault writes it there before it leaves, so that all processes report the same.
 */
final class Rendezvous {
    private static final long POLL_MILLIS = 100;
    private static final String FAILED = "failed";

    private final ProcessPlace place;
    private final TCPStore store;

    private Rendezvous(ProcessPlace place, TCPStore store) {
        this.place = place;
        this.store = store;
    }

    /**
     * Meets all other processes.
     *
     * @param terms what must be the same on every process, by name, such as the recipe's hash
     * @throws ProcessGroupException when the port is taken, a rank does not come in time, or brings other terms
     */
    static Rendezvous meet(ProcessPlace place, Map<String, String> terms, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        Rendezvous rendezvous = new Rendezvous(place, connect(place, place.rank() == 0, timeout));
        try {
            rendezvous.announce(terms, hostName());
            rendezvous.awaitAll(deadline, timeout);
            rendezvous.compare(terms);
            return rendezvous;
        } catch (ProcessGroupException e) {
            rendezvous.fail(e.getMessage());
            rendezvous.linger();
            throw e;
        }
    }

    TCPStore store() {
        return store;
    }

    /** A further connection to the same store, for another thread. */
    static TCPStore connect(ProcessPlace place, boolean serve, Duration timeout) {
        if (!serve) {
            awaitServer(place, timeout);
        }
        try (PointerScope scope = new PointerScope()) {
            TCPStoreOptions options = new TCPStoreOptions()
                    .port((short) place.masterPort())
                    .isServer(serve)
                    .waitWorkers(false)
                    .timeout(new Milliseconds(timeout.toMillis()));
            TCPStore store = new TCPStore(place.masterAddress(), options);
            store.retainReference();
            return store;
        } catch (RuntimeException e) {
            throw new ProcessGroupException(
                    serve && String.valueOf(e.getMessage()).contains("in use")
                            ? "rank 0: port " + place.masterPort() + " of " + place.masterAddress()
                                    + " is in use; set MASTER_PORT to a free one"
                            : "rank " + place.rank() + ": no store at " + at(place) + ": " + firstLine(e),
                    e);
        }
    }

    /** Waits in Java until the port answers, because the store's own waiting writes a warning for each attempt. */
    private static void awaitServer(ProcessPlace place, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(place.masterAddress(), place.masterPort()), 5_000);
                return;
            } catch (IOException e) {
                if (System.nanoTime() > deadline) {
                    throw new ProcessGroupException(
                            "rank " + place.rank() + ": rank 0 did not come to " + at(place) + " within "
                                    + timeout.toSeconds() + " s; see its output, MASTER_ADDR and MASTER_PORT",
                            e);
                }
                pause();
            }
        }
    }

    private void announce(Map<String, String> terms, String host) {
        if (store.add("joined/" + place.rank(), 1) > 1) {
            throw new ProcessGroupException("rank " + place.rank() + " came twice to " + at(place)
                    + "; two runs share a port, or two processes a RANK");
        }
        StringBuilder hello = new StringBuilder("host\t" + host);
        new TreeMap<>(terms)
                .forEach((name, value) ->
                        hello.append('\n').append(name).append('\t').append(value));
        store.set("hello/" + place.rank(), hello.toString());
    }

    private void awaitAll(long deadline, Duration timeout) {
        while (true) {
            List<Integer> missing = missing();
            if (missing.isEmpty()) {
                return;
            }
            throwIfFailed();
            if (System.nanoTime() > deadline) {
                throw new ProcessGroupException("rank " + join(missing) + " of " + place.worldSize()
                        + " did not come to " + at(place) + " within " + timeout.toSeconds() + " s; see its output");
            }
            pause();
        }
    }

    private List<Integer> missing() {
        List<Integer> missing = new ArrayList<>();
        for (int rank = 0; rank < place.worldSize(); rank++) {
            if (!has("hello/" + rank)) {
                missing.add(rank);
            }
        }
        return missing;
    }

    private void compare(Map<String, String> terms) {
        Map<String, String> first = hello(0);
        for (int rank = 1; rank < place.worldSize(); rank++) {
            Map<String, String> other = hello(rank);
            for (String name : new TreeMap<>(terms).keySet()) {
                if (!String.valueOf(first.get(name)).equals(other.get(name))) {
                    throw new ProcessGroupException("rank " + rank + " has another " + name + " than rank 0: "
                            + other.get(name) + ", expected " + first.get(name) + "; start all with the same");
                }
            }
        }
    }

    /** Whether all processes run on one machine. */
    boolean onOneHost() {
        String host = hello(0).get("host");
        for (int rank = 1; rank < place.worldSize(); rank++) {
            if (!host.equals(hello(rank).get("host"))) {
                return false;
            }
        }
        return true;
    }

    private Map<String, String> hello(int rank) {
        Map<String, String> terms = new TreeMap<>();
        for (String line : store.get_to_str("hello/" + rank).split("\n")) {
            int tab = line.indexOf('\t');
            terms.put(line.substring(0, tab), line.substring(tab + 1));
        }
        return terms;
    }

    private boolean has(String key) {
        return has(store, key);
    }

    static boolean has(TCPStore store, String key) {
        try (PointerScope scope = new PointerScope()) {
            return store.check(new StringVector(key));
        }
    }

    private void throwIfFailed() {
        String reason = failure(store);
        if (reason != null) {
            throw new ProcessGroupException(reason);
        }
    }

    /** Why a process left, if one said so; otherwise null. */
    static String failure(TCPStore store) {
        return has(store, FAILED) ? store.get_to_str(FAILED) : null;
    }

    /** Tells the others why this process leaves; the first reason stands. */
    private void fail(String reason) {
        fail(store, reason);
    }

    static void fail(TCPStore store, String reason) {
        try {
            if (store.add("failures", 1) == 1) {
                store.set(FAILED, reason);
            }
        } catch (RuntimeException e) {
            // The store went with rank 0; the others see that for themselves.
            return;
        }
    }

    /** Rank 0 serves the store, so it stays until the others have looked. */
    private void linger() {
        if (place.rank() == 0) {
            for (int i = 0; i < 20; i++) {
                pause();
            }
        }
    }

    static String at(ProcessPlace place) {
        return place.masterAddress() + ":" + place.masterPort();
    }

    static String join(List<Integer> ranks) {
        return String.join(", ", ranks.stream().map(String::valueOf).toList());
    }

    static String firstLine(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    private static String hostName() {
        try {
            return java.net.InetAddress.getLocalHost().getHostName();
        } catch (java.net.UnknownHostException e) {
            return System.getenv().getOrDefault("HOSTNAME", "unknown");
        }
    }

    static void pause() {
        pause(POLL_MILLIS);
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProcessGroupException("interrupted while waiting for the other processes", e);
        }
    }
}
