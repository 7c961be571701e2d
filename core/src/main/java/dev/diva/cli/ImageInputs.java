package dev.diva.cli;

import dev.diva.BadInputException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** The images that arguments name: files, folders (all below, by sorted path), globs and tar archives. */
final class ImageInputs {
    private static final Set<String> EXTENSIONS = Set.of("jpg", "jpeg", "png", "webp", "gif", "bmp");
    /** Larger entries of a tar are no images. */
    private static final long MAX_FILE_BYTES = 1L << 30;

    private final List<Path> files = new ArrayList<>();

    /** Takes one image. */
    interface Receiver {
        /** @param name path of the file, or archive and entry */
        void image(String name, byte[] file);

        /** An image that cannot be read. */
        void unreadable(String name, String reason);
    }

    ImageInputs(List<String> arguments) {
        for (String argument : arguments) {
            Path path = Path.of(argument);
            if (Files.isDirectory(path)) {
                addAll(path, found -> isImage(found.toString()));
            } else if (Files.exists(path)) {
                files.add(path);
            } else if (argument.contains("*") || argument.contains("?") || argument.contains("{")) {
                addGlob(argument);
            } else {
                throw new BadInputException(argument + ": no such file or folder");
            }
        }
        if (files.isEmpty()) {
            throw new BadInputException(String.join(", ", arguments) + ": no images ("
                    + String.join(", ", EXTENSIONS.stream().sorted().toList()) + " or tar)");
        }
    }

    /** Files, a tar counted as one. */
    int size() {
        return files.size();
    }

    /** Hands out every image in order. */
    void forEach(Receiver receiver) {
        for (Path file : files) {
            if (extension(file.toString()).equals("tar")) {
                readTar(file, receiver);
            } else {
                try {
                    receiver.image(file.toString(), Files.readAllBytes(file));
                } catch (IOException e) {
                    receiver.unreadable(file.toString(), file + ": cannot be read: " + e.getMessage());
                }
            }
        }
    }

    private void addGlob(String glob) {
        String fixed = glob.replaceAll("[*?{\\[].*", "");
        Path root = fixed.contains("/") ? Path.of(fixed.substring(0, fixed.lastIndexOf('/') + 1)) : Path.of("");
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + glob);
        if (!Files.isDirectory(root.toAbsolutePath())) {
            throw new BadInputException(glob + ": no folder " + root);
        }
        addAll(
                root,
                found -> matcher.matches(found)
                        && (isImage(found.toString())
                                || extension(found.toString()).equals("tar")));
    }

    private void addAll(Path root, Predicate<Path> wanted) {
        try (Stream<Path> walk = Files.walk(root)) {
            walk.filter(Files::isRegularFile).filter(wanted).sorted().forEach(files::add);
        } catch (IOException e) {
            throw new BadInputException(root + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static void readTar(Path file, Receiver receiver) {
        try (InputStream stream = new BufferedInputStream(Files.newInputStream(file));
                TarArchiveInputStream tar = new TarArchiveInputStream(stream)) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                if (entry.isFile() && isImage(entry.getName()) && entry.getSize() <= MAX_FILE_BYTES) {
                    receiver.image(file + "/" + entry.getName(), tar.readAllBytes());
                }
            }
        } catch (IOException e) {
            receiver.unreadable(file.toString(), file + ": not a whole tar archive: " + e.getMessage());
        }
    }

    private static boolean isImage(String name) {
        return EXTENSIONS.contains(extension(name));
    }

    private static String extension(String name) {
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(dot + 1).toLowerCase(Locale.ROOT);
    }
}
