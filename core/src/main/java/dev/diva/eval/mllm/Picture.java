package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The encoded image of a question: a file, or bytes that stood in a table.
 *
 * @param name what messages call it; equal for all questions on the same image
 * @param file where it lies, null for bytes
 * @param bytes the encoded image, null for a file
 */
public record Picture(String name, Path file, byte[] bytes) {
    static Picture of(Path file) {
        return new Picture(file.toString(), file, null);
    }

    static Picture of(String name, byte[] bytes) {
        return new Picture(name, null, bytes);
    }

    /** Whether there is anything to read. */
    public boolean isThere() {
        return file == null ? bytes != null && bytes.length > 0 : Files.isRegularFile(file);
    }

    /** The encoded image. */
    public byte[] read() {
        if (file == null) {
            return bytes.clone();
        }
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new BadInputException(file + ": image cannot be read: " + e.getMessage(), e);
        }
    }

    /** An image of this name inside a folder; a name that leads out of it is refused. */
    static Picture inside(Path folder, String name, String place) {
        Path base = folder.toAbsolutePath().normalize();
        Path path;
        try {
            path = base.resolve(name).normalize();
        } catch (java.nio.file.InvalidPathException e) {
            throw new BadInputException(place + ": image \"" + name + "\" is no file name", e);
        }
        if (name.isEmpty() || !path.startsWith(base) || path.equals(base)) {
            throw new BadInputException(place + ": image \"" + name + "\" is not inside " + folder);
        }
        return of(folder.resolve(base.relativize(path)));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Picture picture && name.equals(picture.name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }
}
