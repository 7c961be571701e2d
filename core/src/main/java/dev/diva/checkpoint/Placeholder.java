package dev.diva.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Files that stand where weights, configs or vocabularies were meant: pointers of Git LFS, and pages that a server sent instead. */
public final class Placeholder {
    private static final int BEGINNING = 1024;
    private static final String POINTER = "version https://git-lfs.github.com/spec/";
    private static final Pattern SIZE = Pattern.compile("(?m)^size (\\d{1,19})\\s*$");
    private static final Pattern PAGE = Pattern.compile("(?s)\\s*<(!doctype\\s+html|html|head|body|\\?xml)[\\s>].*");

    private Placeholder() {}

    /**
     * Looks at the beginning of a file before it is read as something else.
     *
     * @throws CheckpointException when it is a pointer of Git LFS, a web page or empty
     */
    public static void refuse(Path file) {
        String start = beginning(file);
        if (start.isEmpty()) {
            throw new CheckpointException(file + ": is empty: a download that failed; fetch it again");
        }
        if (start.startsWith(POINTER)) {
            Matcher size = SIZE.matcher(start);
            throw new CheckpointException(file + ": is a Git LFS pointer"
                    + (size.find() ? " for " + size.group(1) + " bytes" : "")
                    + ", not the file itself; fetch it with: git lfs pull");
        }
        if (PAGE.matcher(start.replace("\ufeff", "").toLowerCase(Locale.ROOT)).matches()) {
            throw new CheckpointException(
                    file + ": is a web page, not the file itself: the address gave a page (a log-in,"
                            + " an error, or one that shows the file); download the file itself");
        }
    }

    private static String beginning(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(BEGINNING), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
