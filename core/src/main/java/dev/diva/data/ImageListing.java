package dev.diva.data;

import dev.diva.data.TarIndex.Listing;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Collects images by their suffixes, counts the files that have another one, and keeps what went wrong. */
final class ImageListing {
    private final Consumer<DataProblem> listener;
    private final List<ImageEntry> entries = new ArrayList<>();
    private final List<DataProblem> problems = new ArrayList<>();
    private final Map<String, Integer> notRead = new TreeMap<>();

    /** @param listener told of what cannot be read */
    ImageListing(Consumer<DataProblem> listener) {
        this.listener = listener;
    }

    /** Suffixes of images, in the order of the alphabet. */
    static List<String> suffixes() {
        return ImageDecoder.SUFFIXES.stream().sorted().toList();
    }

    /** Adds the images of a folder or tar, or a file, which is taken for an image whatever its name. */
    void add(DataFile file) {
        if (file.isFolder()) {
            List<DataFile> files = file.files(this::problem).stream()
                    .filter(inside -> TarIndex.isTar(inside) || isImage(inside.toString()))
                    .toList();
            RemoteListing.ahead(files);
            files.forEach(this::add);
        } else if (TarIndex.isTar(file)) {
            addTar(TarIndex.listing(file));
        } else {
            entries.add(ImageEntry.of(file));
        }
    }

    private void addTar(Listing tar) {
        tar.problems().forEach(this::problem);
        for (TarIndex.Member member : tar.members()) {
            boolean hidden = List.of(member.name().split("/")).stream().anyMatch(FileWalk::isHidden);
            if (!hidden && isImage(member.name())) {
                entries.add(member.entry());
            }
        }
    }

    /** Whether a name ends like one; it is counted otherwise. */
    private boolean isImage(String name) {
        String last = name.substring(name.lastIndexOf('/') + 1);
        String suffix = last.substring(last.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        if (last.indexOf('.') >= 0 && ImageDecoder.SUFFIXES.contains(suffix)) {
            return true;
        }
        notRead.merge(last.indexOf('.') >= 0 ? suffix : "", 1, Integer::sum);
        return false;
    }

    void problem(DataProblem problem) {
        problems.add(problem);
        listener.accept(problem);
    }

    List<ImageEntry> entries() {
        return List.copyOf(entries);
    }

    List<DataProblem> problems() {
        return List.copyOf(problems);
    }

    /** Files that were passed over, by suffix. */
    Map<String, Integer> notRead() {
        return new TreeMap<>(notRead);
    }
}
