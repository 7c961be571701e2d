package dev.diva.data;

import dev.diva.BadInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The images of folders (recursive), files, globs and webdataset tars, in a stable order and with stable names. */
public record ImageSet(List<ImageEntry> entries) {
    public ImageSet {
        entries = List.copyOf(entries);
    }

    /**
     * Lists the images; only names and tar headers are read.
     *
     * @param patterns folders, files, tars, globs, {@code {0000..0575}}
     * @param problems told of everything that is left out
     * @throws BadInputException if a pattern fits nothing or there is no image at all
     */
    public static ImageSet open(List<String> patterns, Consumer<DataProblem> problems) {
        List<ImageEntry> entries = new ArrayList<>();
        for (String pattern : patterns) {
            for (Path path : PathPattern.expand(pattern)) {
                addPath(path, entries, problems);
            }
        }
        if (entries.isEmpty()) {
            throw new BadInputException(String.join(", ", patterns) + ": no image ("
                    + String.join(", ", ImageDecoder.SUFFIXES.stream().sorted().toList()) + ") in there");
        }
        return new ImageSet(entries);
    }

    /** The images of a folder (recursive) by sorted path; the name is taken as it is, and there may be none. */
    public static List<ImageEntry> below(Path folder, Consumer<DataProblem> problems) {
        List<ImageEntry> entries = new ArrayList<>();
        addPath(folder, entries, problems);
        return entries;
    }

    public int size() {
        return entries.size();
    }

    public String name(int index) {
        return entries.get(index).name();
    }

    /** The decoded image; {@link BadInputException} naming it when that fails. */
    public RasterImage decode(int index, ImageDecoder decoder) {
        ImageEntry entry = entries.get(index);
        return decoder.decode(entry.read(), entry.name());
    }

    private static void addPath(Path path, List<ImageEntry> entries, Consumer<DataProblem> problems) {
        if (Files.isDirectory(path)) {
            for (Path file : filesBelow(path)) {
                String suffix = suffix(file.toString());
                if (ImageDecoder.SUFFIXES.contains(suffix) || suffix.equals("tar")) {
                    addPath(file, entries, problems);
                }
            }
        } else if (suffix(path.toString()).equals("tar")) {
            for (TarIndex.Member member : TarIndex.read(path, problems)) {
                if (ImageDecoder.SUFFIXES.contains(suffix(member.name()))) {
                    entries.add(member.entry());
                }
            }
        } else {
            entries.add(ImageEntry.of(path));
        }
    }

    private static List<Path> filesBelow(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException | UncheckedIOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static String suffix(String name) {
        return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }
}
