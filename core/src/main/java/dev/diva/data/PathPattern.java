package dev.diva.data;

import dev.diva.BadInputException;
import dev.diva.hub.Address;
import dev.diva.hub.RemoteFiles;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Files that a user means: braces {@code {0000..0575}} and {@code {a,b}}, the globs * ? [ ], and several of them joined by {@code ::}. A name
 * that exists means itself, whatever marks are in it, and so does every folder at the start of a pattern. Addresses of the web have braces and no
 * globs.
 */
public final class PathPattern {
    private static final Pattern BRACES = Pattern.compile("\\{([^{}]*)\\}");
    private static final Pattern RANGE = Pattern.compile("(\\d{1,9})\\.\\.(\\d{1,9})");
    private static final Pattern GLOB = Pattern.compile("[*?\\[]");
    private static final Pattern NAMES_HIDDEN = Pattern.compile("(^|/)\\.[^./]");
    private static final Pattern JOINED = Pattern.compile("::(?![0-9a-fA-F:.]*\\])"); // but not in http://[::1]/
    private static final int MOST = 1_000_000;

    private PathPattern() {}

    /**
     * Existing files and folders, and addresses, in a stable order.
     *
     * @param problems told of links that cannot be followed
     * @throws BadInputException if a name or pattern fits nothing
     */
    static List<DataFile> expand(String pattern, Consumer<DataProblem> problems) {
        List<DataFile> files = new ArrayList<>();
        for (String part : parts(pattern)) {
            if (Address.is(part)) {
                braces(part).forEach(address -> files.addAll(remote(address)));
            } else {
                paths(part, problems).forEach(path -> files.add(DataFile.of(path)));
            }
        }
        return files;
    }

    /** The pattern with its paths below a folder, but those that name one from the root on. */
    public static String below(Path folder, String pattern) {
        return String.join(
                "::",
                parts(pattern).stream()
                        .map(part -> Address.is(part) || part.matches("/.*|[A-Za-z]:.*") ? part : folder + "/" + part)
                        .toList());
    }

    private static List<String> parts(String pattern) {
        return exists(pattern) ? List.of(pattern) : List.of(JOINED.split(pattern, -1));
    }

    private static List<DataFile> remote(String address) {
        if (Address.isWeb(address)) {
            requireName(address);
            return List.of(new DataFile(address));
        }
        Matcher glob = GLOB.matcher(address);
        DataFile named = new DataFile(address);
        if (!glob.find() || named.exists()) {
            return List.of(named);
        }
        int folder = address.lastIndexOf('/', glob.start()) + 1;
        List<DataFile> found = listed(address.substring(0, folder), address.substring(folder));
        if (found.isEmpty()) {
            throw new BadInputException(named + ": no file fits");
        }
        return found;
    }

    private static void requireName(String address) {
        if (address.contains("*") || Address.lowerPath(address).endsWith("/")) {
            throw new BadInputException(Address.withoutSecrets(address)
                    + ": a web server does not tell what files it has; name them by {0000..0575} or {a,b}");
        }
    }

    /**
     * The files and folders in a folder behind an address, in the order of their paths; hidden ones where the glob names them.
     *
     * @param folder ends with a slash
     * @param glob of paths in it
     */
    static List<DataFile> listed(String folder, String glob) {
        Matcher mark = GLOB.matcher(glob);
        String start = mark.find() ? glob.substring(0, mark.start()) : glob;
        PathMatcher matcher = matcher(folder + glob, glob);
        boolean withHidden = NAMES_HIDDEN.matcher(glob).find();
        int depth = depth(glob);
        return RemoteFiles.list(folder + start, depth > 1).stream()
                .map(address -> cut(address.substring(folder.length()), depth))
                .distinct()
                .filter(name -> withHidden || Stream.of(name.split("/")).noneMatch(FileWalk::isHidden))
                .filter(name -> matcher.matches(Path.of(name)))
                .sorted(Comparator.comparing(Path::of))
                .map(name -> new DataFile(folder + name))
                .toList();
    }

    /** A path as deep as that: a folder, with its slash, where there is more. */
    private static String cut(String path, int depth) {
        int end = -1;
        for (int i = 0; i < depth; i++) {
            end = path.indexOf('/', end + 1);
            if (end < 0) {
                return path;
            }
        }
        return path.substring(0, end + 1);
    }

    private static List<Path> paths(String pattern, Consumer<DataProblem> problems) {
        List<Path> paths = new ArrayList<>();
        for (String name : names(pattern)) {
            if (exists(name)) {
                paths.add(Path.of(name));
            } else if (GLOB.matcher(name.substring(existing(name))).find()) {
                paths.addAll(glob(name, problems));
            } else {
                throw new BadInputException(name + ": no such file or folder");
            }
        }
        return paths;
    }

    private static boolean exists(String name) {
        try {
            return !name.isEmpty() && Files.exists(Path.of(name));
        } catch (InvalidPathException e) {
            return false; // Windows has no * in names
        }
    }

    /** The names that braces stand for, those of existing folders at the start left as they are. */
    private static List<String> names(String pattern) {
        if (exists(pattern)) {
            return List.of(pattern);
        }
        int start = existing(pattern);
        return braces(pattern.substring(start)).stream()
                .map(rest -> pattern.substring(0, start) + rest)
                .toList();
    }

    /** Length of the longest start of a pattern that names an existing folder, its last slash included. */
    private static int existing(String pattern) {
        int length = 0;
        for (int slash = pattern.indexOf('/'); slash >= 0; slash = pattern.indexOf('/', slash + 1)) {
            if (!exists(pattern.substring(0, slash + 1))) {
                break;
            }
            length = slash + 1;
        }
        return length;
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

    private static List<Path> glob(String pattern, Consumer<DataProblem> problems) {
        int start = existing(pattern);
        String rest = pattern.substring(start);
        Path folder = Path.of(pattern.substring(0, start));
        PathMatcher matcher = matcher(pattern, rest);
        boolean withHidden = NAMES_HIDDEN.matcher(rest).find();
        FileWalk walk = FileWalk.of(folder, depth(rest), withHidden, problems);
        List<Path> found = (rest.contains("**") ? walk.files() : walk.all()) // whose folders' files would come twice
                .stream()
                        .filter(file -> matcher.matches(folder.relativize(file)))
                        .toList();
        if (found.isEmpty()) {
            throw new BadInputException(pattern + ": no file fits");
        }
        return found;
    }

    private static PathMatcher matcher(String pattern, String rest) {
        try {
            return FileSystems.getDefault().getPathMatcher("glob:" + rest);
        } catch (IllegalArgumentException e) {
            throw new BadInputException(pattern + ": no such file, and no pattern either: " + e.getMessage(), e);
        }
    }

    /** Folders that have to be walked into. */
    private static int depth(String rest) {
        return rest.contains("**")
                ? Integer.MAX_VALUE
                : (int) rest.chars().filter(c -> c == '/').count() + 1;
    }
}
