package dev.diva.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Long fuzzing for {@code faults/fuzz.sh}: {@code CASES SEED [TARGET]}; one line a parser. */
public final class FuzzMain {
    private FuzzMain() {}

    public static void main(String[] args) throws Exception {
        long cases = Long.parseLong(args[0]);
        long seed = Long.parseLong(args[1]);
        Path scratch = Files.createTempDirectory("diva-fuzz");
        List<Fuzz.Target> targets = FuzzTargets.all(scratch).stream()
                .filter(target -> args.length < 3 || target.name().equals(args[2]))
                .toList();
        long started = System.nanoTime();
        long refused = 0;
        for (Fuzz.Target target : targets) {
            Path folder = Files.createDirectories(scratch.resolve(target.name()).resolve("target"));
            Fuzz.Outcome outcome = Fuzz.run(target, cases / targets.size(), seed, folder);
            refused += outcome.refused();
            System.out.println(outcome);
        }
        System.out.printf(
                Locale.ROOT,
                "%d cases of seed %d in %.0f s: %d refused, the others read; no crash, hang, growth or stray file%n",
                cases / targets.size() * targets.size(),
                seed,
                (System.nanoTime() - started) * 1e-9,
                refused);
        System.exit(0);
    }
}
