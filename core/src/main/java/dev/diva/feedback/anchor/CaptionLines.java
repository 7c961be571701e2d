package dev.diva.feedback.anchor;

import dev.diva.BadInputException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Captions of a text file, one a line, read one after the other in little memory; lines without a word are passed over. */
final class CaptionLines implements AutoCloseable {
    /** No caption is longer; a file without line ends is none of captions. */
    private static final int LONGEST = 1 << 16;

    private final Path file;
    private final InputStream stream;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private long row;

    private CaptionLines(Path file, InputStream stream) {
        this.file = file;
        this.stream = stream;
    }

    static CaptionLines open(Path file) {
        try {
            return new CaptionLines(file, new BufferedInputStream(Files.newInputStream(file), 1 << 16));
        } catch (NoSuchFileException e) {
            throw new BadInputException(file + ": missing; expected a text file with a caption on each line", e);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static BadInputException unreadable(Path file, IOException e) {
        String reason = Files.isDirectory(file) ? "it is a folder" : e.getMessage();
        return new BadInputException(
                file + ": cannot be read: " + reason + "; expected a text file with a caption on each line", e);
    }

    /** The next caption, or null at the end. */
    String next() {
        try {
            for (int read = readLine(); read >= 0; read = readLine()) {
                String text = dev.diva.TextFile.decode(line.toByteArray(), file + " line " + row)
                        .strip();
                if (!text.isEmpty()) {
                    return text;
                }
            }
            return null;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** Bytes of the next line, or -1 at the end. */
    private int readLine() throws IOException {
        line.reset();
        int next = stream.read();
        if (next < 0) {
            return -1;
        }
        row++;
        for (; next >= 0 && next != '\n'; next = stream.read()) {
            if (line.size() == LONGEST) {
                throw new BadInputException(
                        file + " line " + row + ": longer than " + LONGEST + " bytes; expected a caption on each line");
            }
            line.write(next);
        }
        return line.size();
    }

    @Override
    public void close() {
        try {
            stream.close();
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }
}
