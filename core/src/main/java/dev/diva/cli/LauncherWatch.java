package dev.diva.cli;

import java.io.PrintWriter;
import java.util.Optional;

/** In a rank that {@link ProcessLauncher} started: ends it when the launcher is gone, so that no rank outlives a killed run. */
final class LauncherWatch {
    private static final long LOOK_MILLIS = 1_000;
    private static final long GRACE_MILLIS = 25_000;

    private LauncherWatch() {}

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
        System.exit(1); // as a signal would: the command writes what it has
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
