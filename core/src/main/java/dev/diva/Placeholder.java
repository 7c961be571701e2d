package dev.diva;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
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
     * @throws BadInputException when it is a pointer of Git LFS, a web page or empty
     */
    public static void refuse(Path file) {
        byte[] start = beginning(file);
        if (start.length == 0) {
            throw new BadInputException(file + ": is empty: a download that failed; fetch it again");
        }
        words(start).ifPresent(words -> {
            throw new BadInputException(file + ": " + words);
        });
    }

    /** The same of a file; nothing where it cannot be read. */
    public static Optional<String> words(Path file) {
        try {
            return words(beginning(file));
        } catch (BadInputException e) {
            return Optional.empty(); // told when it is opened
        }
    }

    /** What content is that stands in a file's place, and what to do; nothing for anything else. */
    public static Optional<String> words(byte[] content) {
        String start = new String(content, 0, Math.min(BEGINNING, content.length), StandardCharsets.UTF_8);
        if (start.startsWith(POINTER)) {
            Matcher size = SIZE.matcher(start);
            return Optional.of("is a Git LFS pointer"
                    + (size.find() ? " for " + size.group(1) + " bytes" : "")
                    + ", not the file itself; fetch it with: git lfs pull");
        }
        if (start.startsWith("GGUF")) {
            return Optional.of(
                    "is a GGUF file, whose tensors, quantised or not, are not read; take the release in safetensors");
        }
        return PAGE.matcher(start.replace("\ufeff", "").toLowerCase(Locale.ROOT))
                        .matches()
                ? Optional.of("is a web page, not the file itself: the address gave a page (a log-in,"
                        + " an error, or one that shows the file); download the file itself")
                : Optional.empty();
    }

    private static byte[] beginning(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(BEGINNING);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
