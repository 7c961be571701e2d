package dev.diva.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;
import java.util.List;

/** One rank of {@link ProcessLauncherTest}, and with {@code launch} first the launcher itself in a JVM of its own. */
public final class LauncherRank {
    private LauncherRank() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("launch")) {
            List<String> program = List.of(LauncherRank.class.getName(), args[1]);
            System.exit(new ProcessLauncher(
                            2,
                            program,
                            new PrintWriter(System.out, true, UTF_8),
                            new PrintWriter(System.err, true, UTF_8))
                    .run());
        }
        LauncherWatch.start(new PrintWriter(System.err, true, UTF_8));
        int rank = Integer.parseInt(System.getenv("RANK"));
        System.out.println("pid " + ProcessHandle.current().pid());
        System.out.println("rank " + rank + " of " + System.getenv("WORLD_SIZE"));
        System.err.println("warning " + rank);
        switch (args[0]) {
            case "work" -> {}
            case "killed" -> end(rank == 1, 137);
            case "bad" -> end(rank == 1, ExitCodes.BAD_INPUT);
            case "followed" -> {
                if (rank == 1) {
                    Thread.sleep(1_000); // the one that only follows ends first
                }
                end(rank == 0, ProcessLauncher.FOLLOWED);
                end(rank == 1, ExitCodes.WORK_FAILED);
            }
            case "resumable" -> {
                Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                    System.out.println("saved");
                    Runtime.getRuntime().halt(ExitCodes.RESUMABLE);
                }));
                Thread.sleep(60_000);
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void end(boolean here, int code) throws InterruptedException {
        if (here) {
            Runtime.getRuntime().halt(code);
        }
        Thread.sleep(code == ProcessLauncher.FOLLOWED ? 0 : 60_000);
    }
}
