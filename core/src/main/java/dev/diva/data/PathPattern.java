package dev.diva.data;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Files that a user means: braces {@code {0000..0575}} and {@code {a,b}}, and the globs * ? [ ]. */
public final class PathPattern {
    private static final Pattern BRACES = Pattern.compile("\\{([^{}]*)\\}");
    private static final Pattern RANGE = Pattern.compile("(\\d{1,9})\\.\\.(\\d{1,9})");
    private static final Pattern GLOB = Pattern.compile("[*?\\[]");
    private static final int MOST = 1_000_000;

    private PathPattern() {}

    /**
     * Existing files and folders in a stable order.
     *
     * @throws BadInputException if a name or pattern fits nothing
     */
    public static List<Path> expand(String pattern) {
        List<Path> paths = new ArrayList<>();
        for (String name : braces(pattern)) {
            if (GLOB.matcher(name).find()) {
                paths.addAll(glob(name));
            } else if (Files.exists(Path.of(name))) {
                paths.add(Path.of(name));
            } else {
                throw new BadInputException(name + ": no such file or folder");
            }
        }
        return paths;
    }

    /** The names that braces stand for; a range keeps the width of its first number. */
    static List<String> braces(String pattern) {
        Matcher matcher = BRACES.matcher(pattern);
        if (!matcher.find()) {
            return List.of(pattern);
        }
        List<String> names = new ArrayList<>();
        for (String choice : choices(matcher.group(1), pattern)) {
            names.addAll(braces(pattern.substring(0, matcher.start()) + choice + pattern.substring(matcher.end())));
            if (names.size() > MOST) {
                throw new BadInputException(pattern + ": stands for more than " + MOST + " names");
            }
        }
        return names;
    }

    private static List<String> choices(String inside, String pattern) {
        Matcher range = RANGE.matcher(inside);
        if (!range.matches()) {
            return List.of(inside.split(",", -1));
        }
        int from = Integer.parseInt(range.group(1));
        int to = Integer.parseInt(range.group(2));
        if (to < from || to - from >= MOST) {
            throw new BadInputException(pattern + ": the range " + inside + " is empty or too long");
        }
        String format = "%0" + range.group(1).length() + "d";
        List<String> names = new ArrayList<>();
        for (int i = from; i <= to; i++) {
            names.add(String.format(format, i));
        }
        return names;
    }

    private static List<Path> glob(String pattern) {
        Matcher first = GLOB.matcher(pattern);
        int at = first.find() ? first.start() : 0;
        int slash = pattern.lastIndexOf('/', at);
        Path folder = slash < 0 ? Path.of("") : Path.of(pattern.substring(0, slash + 1));
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern.substring(slash + 1));
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> found = files.filter(file -> matcher.matches(folder.relativize(file)))
                    .sorted()
                    .toList();
            if (found.isEmpty()) {
                throw new BadInputException(pattern + ": no file fits");
            }
            return found;
        } catch (IOException e) {
            throw new BadInputException(pattern + ": cannot list " + folder + ": " + e.getMessage(), e);
        }
    }
}
