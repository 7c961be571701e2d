package dev.diva.cli;

import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** In a rank that {@link ProcessLauncher} started: ends it when the launcher is gone, so that no rank outlives a killed run. */
final class LauncherWatch {
    private static final long LOOK_MILLIS = 1_000;
    private static final long GRACE_MILLIS = 25_000;

    private static final AtomicReference<Runnable> ON_LOST = new AtomicReference<>(() -> System.exit(1));

    private LauncherWatch() {}

    /** What to do instead of ending at once; there are 25 seconds for it. */
    static void onLost(Runnable action) {
        ON_LOST.set(action);
    }

    static void start(PrintWriter err) {
        String launcher = System.getenv(ProcessLauncher.PARENT);
        if (launcher == null) {
            return;
        }
        long pid = Long.parseLong(launcher);
        Thread thread = new Thread(() -> watch(pid, err), "launcher-watch");
        thread.setDaemon(true);
        thread.start();
    }

    private static void watch(long pid, PrintWriter err) {
        while (parent().filter(parent -> parent == pid).isPresent()) {
            pause(LOOK_MILLIS);
        }
        err.println("diva: the launcher is gone; rank " + System.getenv("RANK") + " stops");
        err.flush();
        Thread kill = new Thread(
                () -> {
                    pause(GRACE_MILLIS);
                    Runtime.getRuntime().halt(1);
                },
                "kill");
        kill.setDaemon(true);
        kill.start();
        ON_LOST.get().run();
    }

    private static Optional<Long> parent() {
        return ProcessHandle.current().parent().map(ProcessHandle::pid);
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
