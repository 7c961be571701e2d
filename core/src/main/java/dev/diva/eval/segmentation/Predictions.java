package dev.diva.eval.segmentation;

import dev.diva.BadInputException;
import dev.diva.data.RasterImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;

/**
 * Label maps that another program wrote: a class for each pixel of each picture of a set.
 *
 * @param set that they are for
 * @param files by the pictures' names without the ending
 */
public record Predictions(SegmentationSet set, SortedMap<String, Path> files) implements SegmentationRun.Labels {
    /**
     * Lists them.
     *
     * @param folder of the label maps, or of a folder of the set's name with them
     * @throws BadInputException when there is no such folder, or a picture of the set has none
     */
    public static Predictions open(SegmentationSet set, Path folder) {
        Path own = folder.resolve(set.layout().name());
        Path place = Files.isDirectory(own) ? own : folder;
        if (!Files.isDirectory(place)) {
            throw new BadInputException(
                    folder + ": no such folder; expected label maps, PNG or TIFF, one for each picture");
        }
        SortedMap<String, Path> files = SegmentationSet.files(place);
        List<SegmentationSet.Pair> missing = set.pairs().stream()
                .filter(pair -> !files.containsKey(pair.name()))
                .toList();
        if (!missing.isEmpty()) {
            String name = missing.get(0).name();
            throw new BadInputException(place + ": " + missing.size() + " of "
                    + set.pairs().size() + " pictures have no label map here, the first: expected " + name + ".png or "
                    + name + ".tif for " + missing.get(0).image());
        }
        return new Predictions(set, files);
    }

    @Override
    public int[] of(SegmentationSet.Pair pair, RasterImage image) {
        return set.labels(files.get(pair.name()), pair, image, value -> false, "; a prediction names every pixel");
    }
}
