package dev.diva.cli;

import dev.diva.engine.ProcessPlace;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Starts the same command once for each rank on this machine, with the environment of torchrun. Standard output of rank 0 is the
 * command's; everything else goes to standard error with {@code [rank] } in front. A signal to the launcher goes to all; when one
 * rank fails the others are stopped. Never loads libtorch itself.
 */
final class ProcessLauncher {
    /** Variable that holds the launcher's process id. */
    static final String PARENT = "DIVA_LAUNCHER";
    /** Exit code, between a rank and its launcher only, of a rank that stops because of another. */
    static final int FOLLOWED = 76;

    private static final Duration OWN_WAY = Duration.ofSeconds(12); // in which the others find out who is gone
    private static final Duration GRACE = Duration.ofSeconds(28);
    private static final int SIGNALLED = 128;
    /** Gloo greets on standard output, which belongs to the command's result. */
    private static final String GLOO_CHATTER = "[Gloo] Rank ";

    private final int processes;
    private final List<String> program;
    private final PrintWriter out;
    private final PrintWriter err;
    private final List<Process> ranks = new ArrayList<>();
    private final List<Thread> pumps = new ArrayList<>();
    private final BlockingQueue<Exit> exits = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> result = new CompletableFuture<>();
    private volatile long stopAt = Long.MAX_VALUE;
    private volatile long killAt = Long.MAX_VALUE;

    private record Exit(int rank, int code) {
        boolean isFailure() {
            return code != 0 && code != ExitCodes.RESUMABLE;
        }
    }

    /** @param program main class and arguments of each rank */
    ProcessLauncher(int processes, List<String> program, PrintWriter out, PrintWriter err) {
        this.processes = processes;
        this.program = List.copyOf(program);
        this.out = out;
        this.err = err;
    }

    /** Runs to the end of all ranks; the exit code for the whole. */
    int run() {
        Thread forward = new Thread(this::forwardSignal, "forward-signal");
        Runtime.getRuntime().addShutdownHook(forward);
        try {
            int port = freePort();
            for (int rank = 0; rank < processes; rank++) {
                start(new ProcessPlace(rank, processes, rank, "127.0.0.1", port));
            }
            int code = await();
            result.complete(code);
            return code;
        } catch (IOException e) {
            stopAll();
            throw new UncheckedIOException(e);
        } finally {
            removeHook(forward);
        }
    }

    private void start(ProcessPlace place) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command());
        builder.environment().putAll(place.toEnvironment());
        builder.environment().put(PARENT, Long.toString(ProcessHandle.current().pid()));
        builder.environment().putIfAbsent("TORCH_CPP_LOG_LEVEL", "ERROR");
        Process process = builder.start();
        process.getOutputStream().close();
        int rank = place.rank();
        pump(process.getInputStream(), rank == 0 ? out : err, rank == 0 ? "" : "[" + rank + "] ");
        pump(process.getErrorStream(), err, "[" + rank + "] ");
        ranks.add(process);
        background(
                "wait", () -> exits.add(new Exit(rank, process.onExit().join().exitValue())));
    }

    /** This JVM's own command line, with an equal share of the cores. */
    private List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        List<String> options = ManagementFactory.getRuntimeMXBean().getInputArguments();
        options.stream().filter(option -> !option.startsWith("-agentlib")).forEach(command::add);
        if (options.stream().noneMatch(option -> option.startsWith("-XX:ActiveProcessorCount"))) {
            int cores = Math.max(1, Runtime.getRuntime().availableProcessors() / processes);
            command.add("-XX:ActiveProcessorCount=" + cores);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(program);
        return command;
    }

    private void pump(InputStream from, PrintWriter to, String prefix) {
        pumps.add(background("output", () -> {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (!line.startsWith(GLOO_CHATTER)) {
                        to.println(prefix + line);
                        to.flush();
                    }
                }
            } catch (IOException e) {
                return; // the process is gone
            }
        }));
    }

    private static Thread background(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Waits for all; the first failure starts the clock of the others. */
    private int await() {
        List<Exit> done = new ArrayList<>();
        while (done.size() < processes) {
            Exit exit = poll();
            if (exit != null) {
                done.add(exit);
                if (exit.isFailure()) {
                    startClock(OWN_WAY, GRACE);
                }
            } else if (System.nanoTime() >= killAt) {
                ranks.forEach(Process::destroyForcibly);
                killAt = Long.MAX_VALUE;
            } else if (System.nanoTime() >= stopAt) {
                stopAll();
                stopAt = Long.MAX_VALUE;
            }
        }
        joinPumps();
        return verdict(done);
    }

    private synchronized void startClock(Duration untilStop, Duration untilKill) {
        if (killAt == Long.MAX_VALUE) {
            stopAt = System.nanoTime() + untilStop.toNanos();
            killAt = System.nanoTime() + untilKill.toNanos();
        }
    }

    private Exit poll() {
        try {
            return exits.poll(200, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            stopAll();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while ranks ran", e);
        }
    }

    /** The one that failed of itself speaks for all: killed by a signal, then any other that did not just follow. */
    private int verdict(List<Exit> done) {
        List<Exit> failures = done.stream().filter(Exit::isFailure).toList();
        if (failures.isEmpty()) {
            return done.stream().anyMatch(exit -> exit.code == ExitCodes.RESUMABLE) ? ExitCodes.RESUMABLE : 0;
        }
        Exit first = failures.stream()
                .filter(exit -> exit.code > SIGNALLED && exit.code != SIGNALLED + 15)
                .findFirst()
                .or(() ->
                        failures.stream().filter(exit -> exit.code != FOLLOWED).findFirst())
                .orElse(failures.get(0));
        boolean killed = first.code > SIGNALLED;
        err.println("diva: rank " + first.rank + " of " + processes
                + (killed ? " was killed by signal " + (first.code - SIGNALLED) : " failed, see its line above")
                + "; the others were stopped");
        err.flush();
        return killed || first.code == FOLLOWED ? 1 : first.code;
    }

    private void joinPumps() {
        for (Thread pump : pumps) {
            try {
                pump.join(2_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Through handles: {@link Process#destroy} would close the pipes and lose what a rank says at its end. */
    private void stopAll() {
        ranks.forEach(rank -> rank.toHandle().destroy());
    }

    /** On SIGTERM or SIGINT: every rank gets the same signal and the time to write a checkpoint. */
    private void forwardSignal() {
        startClock(Duration.ofDays(1), GRACE);
        stopAll();
        try {
            int code = result.get(GRACE.toSeconds() + 5, TimeUnit.SECONDS);
            out.flush();
            err.flush();
            Runtime.getRuntime().halt(code);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            ranks.forEach(Process::destroyForcibly);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // it is running: the signal came first
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
