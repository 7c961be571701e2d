package dev.diva;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Text that a person wrote: UTF-8, perhaps behind the byte order mark that spreadsheets put first and that is never content. */
public final class TextFile {
    private static final char MARK = '\ufeff';

    private TextFile() {}

    /** The content; {@link BadInputException} when the file is missing, unreadable or not UTF-8, which names the row. */
    public static String read(Path file) {
        return read(file, "");
    }

    /**
     * The content of a file that need not be there.
     *
     * @param instead what to do when it is missing, for the message
     */
    public static String read(Path file, String instead) {
        try {
            byte[] content = Files.readAllBytes(file);
            Placeholder.words(content).ifPresent(words -> {
                throw new BadInputException(file + ": " + words);
            });
            return decode(content, file.toString());
        } catch (NoSuchFileException e) {
            throw new BadInputException(file + ": missing" + (instead.isEmpty() ? "" : "; " + instead), e);
        } catch (IOException e) {
            String reason = Files.isDirectory(file) ? "it is a folder" : e.getMessage();
            throw new BadInputException(file + ": cannot be read: " + reason, e);
        }
    }

    /** Bytes as text. */
    public static String decode(byte[] bytes, String name) {
        ByteBuffer input = ByteBuffer.wrap(bytes);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(input).toString();
            return !text.isEmpty() && text.charAt(0) == MARK ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            int row = 1;
            for (int i = 0; i < input.position(); i++) {
                row += bytes[i] == '\n' ? 1 : 0;
            }
            throw new BadInputException(name + " row " + row + ": not UTF-8; save the file as UTF-8", e);
        }
    }
}
