package dev.diva.checkpoint;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Writes a folder so that at any moment either nothing, the old one or the complete new one is there. A folder that is there already is
 * replaced only if nothing is in it that the program did not write.
 */
public final class AtomicFolder {
    private static final int NAMED = 3;

    private AtomicFolder() {}

    /** Fills a new folder. */
    public interface Body {
        void write(Path folder) throws IOException;
    }

    /**
     * Fills a temporary folder beside the target and renames it.
     *
     * @throws BadInputException when something is at the target already, or it cannot be written
     */
    public static void write(Path target, Body body) {
        requireFree(target, "choose another --out");
        put(real(target), body);
    }

    /**
     * The same over an earlier folder of this kind.
     *
     * @param ours whether a file, by its path inside the folder, was written by the program
     * @throws BadInputException when another file is in it, or it cannot be written; it is then untouched
     */
    public static void replace(Path target, Predicate<Path> ours, Body body) {
        requireOurs(target, ours);
        put(real(target), body);
    }

    private static void put(Path target, Body body) {
        try (Temporary made = Temporary.folder(target)) {
            body.write(made.path());
            if (Files.exists(target) && !isEmpty(target)) {
                swap(made.path(), target);
            } else {
                Files.move(made.path(), target, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
            throw new BadInputException(target + ": appeared meanwhile and is not replaced", e);
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be written: " + e, e);
        }
    }

    /** The old folder changes places with the new one, whose temporary name it is then deleted under. */
    private static void swap(Path made, Path target) throws IOException {
        Path old = made.resolveSibling(made.getFileName() + ".old");
        Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        try {
            Files.move(made, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
            throw e;
        }
        Files.move(old, made, StandardCopyOption.ATOMIC_MOVE);
    }

    /**
     * Refuses an output that is there and holds anything.
     *
     * @param advice what the user can do about it
     * @throws BadInputException when it does
     */
    public static void requireFree(Path target, String advice) {
        if (isThere(target) && !(Files.isDirectory(target) && isEmpty(target))) {
            throw new BadInputException(target + ": exists already; " + advice);
        }
    }

    private static boolean isThere(Path target) {
        return Files.exists(target, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Refuses an output in which anything is that the program did not write.
     *
     * @param ours as in {@link #replace}
     * @throws BadInputException naming what it found
     */
    public static void requireOurs(Path target, Predicate<Path> ours) {
        if (!isThere(target)) {
            return;
        }
        if (!Files.isDirectory(target)) {
            throw new BadInputException(target + ": is a file and is not replaced; choose another place");
        }
        List<Path> others = others(target, ours);
        if (!others.isEmpty()) {
            throw new BadInputException(String.format(
                    Locale.ROOT,
                    "%s: is not replaced, as it holds more than an earlier result of this kind: %s%s; remove what you"
                            + " do not need or choose another place",
                    target,
                    String.join(
                            ", ",
                            others.stream().limit(NAMED).map(Path::toString).toList()),
                    others.size() > NAMED ? " and " + (others.size() - NAMED) + " more" : ""));
        }
    }

    private static List<Path> others(Path target, Predicate<Path> ours) {
        Path folder = real(target); // what a link leads to is walked as well
        try (Stream<Path> walk = Files.walk(folder)) {
            return walk.filter(path -> !Files.isDirectory(path) || Files.isSymbolicLink(path))
                    .map(folder::relativize)
                    .filter(ours.negate())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be listed: " + e, e);
        }
    }

    private static boolean isEmpty(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.findAny().isEmpty();
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e, e);
        }
    }

    /** A link to a folder stays a link. */
    private static Path real(Path target) {
        try {
            return Files.exists(target) ? target.toRealPath() : target;
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be read: " + e, e);
        }
    }
}
