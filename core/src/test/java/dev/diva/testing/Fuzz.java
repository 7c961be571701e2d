package dev.diva.testing;

import dev.diva.BadInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;

/**
 * Mutation fuzzing of a parser: sound files are damaged again and again, and each must be read or refused with a {@link
 * BadInputException}. Another exception, an error, a case that takes too long, memory that grows, a started process, or a file that
 * was not there before fails the run and leaves the input behind. A case is a function of (seed, target, number) alone.
 */
public final class Fuzz {
    private static final long LIMIT_MILLIS = 20_000;
    private static final long RESIDENT_LIMIT = 700L << 20;
    private static final long LOOK_EVERY = 1_000;
    private static final long[] EDGES = {0, -1, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffffL, 0xffffffffL, 1L << 40
    };
    private static final List<String> WORDS = List.of(
            "-1",
            "1e999",
            "null",
            "99999999999999999999",
            "\"",
            "{",
            "}",
            "[",
            "]",
            "../../../../tmp/escaped",
            "NaN",
            "true",
            "\u0000",
            "\n",
            ",",
            ":",
            "&a [*a]",
            "!!java.lang.Runtime",
            "[".repeat(5000),
            "{\"a\":".repeat(3000),
            "0");

    private final Target target;
    private final long seed;
    private final Path folder;
    private volatile long current = -1;
    private volatile long startedMillis;
    private volatile Throwable failure;
    private long refused;
    private long slowestNanos;

    /** Reads an input to its end; may use the folder for files named {@code input*}. */
    @FunctionalInterface
    public interface Parser {
        void parse(byte[] input, Path folder) throws IOException;
    }

    /** A parser and sound files to start from. */
    public record Target(String name, Parser parser, List<byte[]> seeds) {}

    /** What came of it. */
    public record Outcome(String name, long cases, long refused, double slowestSeconds, double seconds) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%-12s %8d cases, %8d refused, slowest %.3f s, %.0f s",
                    name,
                    cases,
                    refused,
                    slowestSeconds,
                    seconds);
        }
    }

    private Fuzz(Target target, long seed, Path folder) {
        this.target = target;
        this.seed = seed;
        this.folder = folder;
    }

    /**
     * Runs cases 0 to {@code cases} - 1.
     *
     * @param folder empty; the parser works below it
     * @throws AssertionError with the case's number and the file of its input
     */
    public static Outcome run(Target target, long cases, long seed, Path folder) {
        return new Fuzz(target, seed, folder).run(cases);
    }

    private Outcome run(long cases) {
        long started = System.nanoTime();
        Set<String> before = around();
        for (byte[] sound : target.seeds()) {
            if (!isRead(sound)) {
                throw new AssertionError(target.name() + ": a sound file is refused");
            }
        }
        Thread worker = new Thread(() -> work(cases), "fuzz");
        worker.setDaemon(true);
        worker.start();
        watch(worker);
        if (failure != null) {
            fail("threw " + failure, failure);
        }
        Set<String> left = new TreeSet<>(around());
        left.removeAll(before);
        if (!left.isEmpty()) {
            fail("left a file or a process behind: " + left, null);
        }
        return new Outcome(target.name(), cases, refused, slowestNanos * 1e-9, (System.nanoTime() - started) * 1e-9);
    }

    private void work(long cases) {
        long resident = 0;
        for (long i = 0; i < cases; i++) {
            startedMillis = System.currentTimeMillis();
            current = i;
            long from = System.nanoTime();
            try {
                refused += isRead(input(i)) ? 0 : 1;
            } catch (Throwable e) {
                failure = e;
                return;
            }
            slowestNanos = Math.max(slowestNanos, System.nanoTime() - from);
            if (i == LOOK_EVERY) {
                resident = Pointer.physicalBytes();
            }
            if (i > LOOK_EVERY && i % LOOK_EVERY == 0 && Pointer.physicalBytes() - resident > RESIDENT_LIMIT) {
                failure =
                        new AssertionError("resident memory grew from " + resident + " to " + Pointer.physicalBytes());
                return;
            }
        }
    }

    private void watch(Thread worker) {
        try {
            while (worker.isAlive()) {
                worker.join(500);
                if (worker.isAlive() && current >= 0 && System.currentTimeMillis() - startedMillis > LIMIT_MILLIS) {
                    fail("hangs in " + Arrays.toString(worker.getStackTrace()), null);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** True when read, false when refused; an exhausted heap is no refusal. */
    private boolean isRead(byte[] input) {
        try {
            target.parser().parse(input, folder);
            return true;
        } catch (BadInputException e) {
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                if (cause instanceof Error) {
                    throw new AssertionError("refused because of an error", e);
                }
            }
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void fail(String how, Throwable cause) {
        try {
            Path kept = Files.createTempFile("diva-fuzz-" + target.name() + "-", ".bin");
            Files.write(kept, input(current));
            throw new AssertionError(
                    target.name() + " case " + current + " of seed " + seed + " " + how + "; input " + kept, cause);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a parser could leave behind: files in the working, temporary and target folders, child processes. */
    private Set<String> around() {
        return Stream.concat(
                        ProcessHandle.current().children().map(child -> "process " + child.pid()),
                        Stream.of(folder, folder.toAbsolutePath().getParent(), Path.of(""), Path.of("/tmp/escaped"))
                                .flatMap(Fuzz::names))
                .filter(name -> !name.startsWith("input"))
                .collect(Collectors.toSet());
    }

    private static Stream<String> names(Path folder) {
        String[] names = folder.toAbsolutePath().toFile().list();
        return names == null ? Stream.empty() : Arrays.stream(names).sorted();
    }

    /** The input of a case. */
    private byte[] input(long number) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom")
                .create(Objects.hash(seed, target.name(), number) * 0x9e3779b97f4a7c15L);
        byte[] input = target.seeds().get(random.nextInt(target.seeds().size())).clone();
        for (int left = 1 + random.nextInt(4); left > 0 && input.length > 0; left--) {
            input = mutate(input, random);
        }
        return input;
    }

    private byte[] mutate(byte[] input, RandomGenerator random) {
        int at = position(input.length, random);
        int length = Math.min(input.length - at, 1 + random.nextInt(16));
        return switch (random.nextInt(10)) {
            case 0 -> flip(input, at, random);
            case 1, 2 -> set(input, at, random);
            case 3 -> number(input, at, random);
            case 4 -> Arrays.copyOf(input, at);
            case 5 -> splice(input, at, at + length, new byte[0]); // removed
            case 6 -> splice(input, at, at, Arrays.copyOfRange(input, at, at + length)); // doubled
            case 7 ->
                splice(input, at, at, WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.UTF_8));
            case 8 ->
                splice(
                        input,
                        at,
                        at + length,
                        WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.UTF_8));
            default -> crossed(input, at, random);
        };
    }

    /** Structure lies at the ends of most files. */
    private static int position(int length, RandomGenerator random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(Math.min(length, 512));
            case 1 -> length - 1 - random.nextInt(Math.min(length, 512));
            default -> random.nextInt(length);
        };
    }

    private static byte[] flip(byte[] input, int at, RandomGenerator random) {
        input[at] ^= (byte) (1 << random.nextInt(8));
        return input;
    }

    private static byte[] set(byte[] input, int at, RandomGenerator random) {
        input[at] = (byte) random.nextInt(256);
        return input;
    }

    private static byte[] number(byte[] input, int at, RandomGenerator random) {
        long value = EDGES[random.nextInt(EDGES.length)];
        int width = 1 << random.nextInt(4);
        boolean big = random.nextBoolean();
        for (int i = 0; i < width && at + i < input.length; i++) {
            input[at + i] = (byte) (value >>> (8 * (big ? width - 1 - i : i)));
        }
        return input;
    }

    private static byte[] splice(byte[] input, int from, int to, byte[] with) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(input, 0, from);
        out.write(with, 0, with.length);
        out.write(input, to, input.length - to);
        return out.toByteArray();
    }

    /** The start of one sound file and the end of another. */
    private byte[] crossed(byte[] input, int at, RandomGenerator random) {
        byte[] other = target.seeds().get(random.nextInt(target.seeds().size()));
        int from = other.length == 0 ? 0 : random.nextInt(other.length);
        return splice(Arrays.copyOf(input, at), at, at, Arrays.copyOfRange(other, from, other.length));
    }
}
