package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.data.ImageEntry;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Captions of the images of a folder from one file: COCO's annotations, Karpathy's {@code dataset_*.json}, a list of entries in JSON or
 * JSONL, or a table with a header in CSV or TSV, a row per caption. Images keep the order in which the file names them first.
 */
public final class CaptionTable implements CaptionSet {
    private final Path file;
    private final Path folder;
    private final Map<String, List<String>> captions;
    private final Set<String> warnings = new LinkedHashSet<>();

    /**
     * What to take of the file.
     *
     * @param split of a Karpathy file, which holds all
     * @param imageColumn header of a table's column of file names, or key of an entry
     * @param captionColumn header of a table's column of captions, or key of an entry
     */
    public record Selection(String split, String imageColumn, String captionColumn) {
        /** The test images; columns image and caption. */
        public static final Selection DEFAULT = new Selection("test", "image", "caption");
    }

    /** The captions by the name of their image. */
    record Captions(Map<String, List<String>> byImage) {
        List<String> of(String image) {
            return byImage.computeIfAbsent(image, name -> new ArrayList<>());
        }
    }

    private CaptionTable(Path file, Path folder, Map<String, List<String>> captions) {
        this.file = file;
        this.folder = folder;
        this.captions = captions;
    }

    /**
     * Reads the whole file.
     *
     * @param folder what the file's image names are relative to
     * @throws BadInputException for a file of none of the kinds, wrong columns, a damaged row (named) or no captions
     */
    public static CaptionTable read(Path file, Path folder, Selection selection) {
        Captions captions = new Captions(new LinkedHashMap<>());
        if (CaptionJson.is(file)) {
            CaptionJson.read(file, selection, captions);
        } else {
            CaptionRows.read(file, selection, captions);
        }
        CaptionTable table = new CaptionTable(file, folder, captions.byImage);
        table.leaveOutImagesWithoutCaption();
        if (table.captions.isEmpty()) {
            throw new BadInputException(file + ": no captions (of split " + selection.split + ")");
        }
        return table;
    }

    private void leaveOutImagesWithoutCaption() {
        int all = captions.size();
        captions.values().removeIf(List::isEmpty);
        if (captions.size() < all) {
            warnings.add(
                    file + ": " + (all - captions.size()) + " of " + all + " images have no caption and are left out");
        }
    }

    @Override
    public String name() {
        return folder.toString();
    }

    /**
     * An image that is not there is left out with its captions, and the share of such ones reported.
     *
     * @throws BadInputException when no image is there
     */
    @Override
    public void readCaptions(Consumer<CaptionedImage> consumer) {
        List<Path> missing = new ArrayList<>();
        int lost = 0;
        for (Map.Entry<String, List<String>> entry : captions.entrySet()) {
            Path image = path(entry.getKey());
            if (Files.isRegularFile(image)) {
                consumer.accept(new CaptionedImage(ImageEntry.of(image), entry.getValue()));
            } else {
                missing.add(image);
                lost += entry.getValue().size();
            }
        }
        if (missing.size() == captions.size()) {
            throw new BadInputException(missing.get(0) + ": missing, as are all images that " + file + " names ("
                    + missing.size() + "); its names are relative to the folder that is given as data");
        }
        if (!missing.isEmpty()) {
            warnings.add(missing.size() + " of " + captions.size() + " images are missing, the first is "
                    + missing.get(0) + "; their " + lost + " captions are left out");
        }
    }

    private Path path(String image) {
        try {
            return folder.resolve(image);
        } catch (InvalidPathException e) {
            throw new BadInputException(
                    file + ": image \"" + image.replaceAll("\\p{Cntrl}", "?") + "\" cannot be the name of a file", e);
        }
    }

    @Override
    public List<String> warnings() {
        return List.copyOf(warnings);
    }
}
