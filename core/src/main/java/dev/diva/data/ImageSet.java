package dev.diva.data;

import dev.diva.BadInputException;
import dev.diva.hub.Address;
import dev.diva.hub.RemoteFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The images of folders (recursive, links followed), files, globs and webdataset tars, in a stable order and with stable names.
 *
 * @param notRead how many files were passed over because of their suffix, by suffix
 */
public record ImageSet(List<ImageEntry> entries, Map<String, Integer> notRead) {
    private static final int REASONS = 3;

    public ImageSet {
        entries = List.copyOf(entries);
    }

    /** Images of which nothing was passed over. */
    public ImageSet(List<ImageEntry> entries) {
        this(entries, Map.of());
    }

    /**
     * Lists the images; only names and tar headers are read.
     *
     * @param patterns folders, files, tars, globs, addresses, {@code {0000..0575}}; several joined by {@code ::}
     * @param problems told of everything else that is left out
     * @throws BadInputException if a pattern fits nothing or there is no image at all
     */
    public static ImageSet open(List<String> patterns, Consumer<DataProblem> problems) {
        ImageListing listing = new ImageListing(problems);
        List<DataFile> files = new ArrayList<>();
        patterns.forEach(pattern -> files.addAll(PathPattern.expand(pattern, listing::problem)));
        RemoteListing.ahead(files);
        files.forEach(listing::add);
        if (listing.entries().isEmpty()) {
            throw new BadInputException(nothing(patterns, listing));
        }
        return new ImageSet(listing.entries(), listing.notRead());
    }

    private static String nothing(List<String> patterns, ImageListing listing) {
        List<String> reasons = new ArrayList<>(listing.problems().stream()
                .limit(REASONS)
                .map(DataProblem::toString)
                .toList());
        if (listing.problems().size() > REASONS) {
            reasons.add("and " + (listing.problems().size() - REASONS) + " more like this");
        }
        if (!listing.notRead().isEmpty()) {
            reasons.add(words(listing.notRead()));
        }
        return String.join(", ", patterns.stream().map(ImageSet::resolved).toList()) + ": no image ("
                + String.join(", ", ImageListing.suffixes()) + ") in there"
                + (reasons.isEmpty() ? "" : ": " + String.join("; ", reasons));
    }

    /** A pattern; where it is a link, with what it leads to. */
    private static String resolved(String pattern) {
        if (Address.is(pattern)) {
            return Address.withoutSecrets(pattern);
        }
        try {
            Path path = Path.of(pattern);
            return Files.isSymbolicLink(path) ? pattern + " (a link to " + path.toRealPath() + ")" : pattern;
        } catch (IOException | java.nio.file.InvalidPathException e) {
            return pattern;
        }
    }

    /** The images of a folder by sorted path; the name is taken as it is, and there may be none. */
    public static List<ImageEntry> below(Path folder, Consumer<DataProblem> problems) {
        ImageListing listing = new ImageListing(problems);
        listing.add(DataFile.of(folder));
        if (!listing.notRead().isEmpty()) {
            problems.accept(new DataProblem(folder.toString(), words(listing.notRead())));
        }
        return listing.entries();
    }

    /** What {@link #notRead} holds as one line, for instance {@code 3 files not read: 2 tif, 1 gz}; empty where there is none. */
    public String notReadWords() {
        return notRead.isEmpty() ? "" : words(notRead);
    }

    private static String words(Map<String, Integer> notRead) {
        int all = notRead.values().stream().mapToInt(Integer::intValue).sum();
        return all
                + (all == 1 ? " file not read: " : " files not read: ")
                + String.join(
                        ", ",
                        notRead.entrySet().stream()
                                .map(entry -> entry.getValue() + " "
                                        + (entry.getKey().isEmpty() ? "without a suffix" : entry.getKey()))
                                .toList());
    }

    /** Files of this machine that the images are in. */
    public Set<Path> localFiles() {
        return files().filter(file -> !file.isRemote()).map(DataFile::path).collect(Collectors.toSet());
    }

    /** Files behind addresses that the images are in. */
    public List<RemoteFile> remoteFiles() {
        return files().filter(DataFile::isRemote).map(DataFile::remote).toList();
    }

    private Stream<DataFile> files() {
        return entries.stream().map(ImageEntry::file).distinct();
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
}
