package dev.diva.eval.segmentation;

import dev.diva.BadInputException;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.LabelMap;
import dev.diva.data.RasterImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/**
 * Pictures with a label for every pixel, paired by name without the ending and sorted by it; what lacks a partner is left out and told.
 *
 * @param pairs in the order of their names
 * @param warnings what was left out, a line each
 */
public record SegmentationSet(Layout layout, List<Pair> pairs, List<String> warnings) {
    /** Pictures are turned upright; their labels are not. */
    public static final ImageDecoder DECODER =
            new ImageDecoder(ImageDecoder.PILLOW_BOMB_PIXELS, ImageDecoder.Orientation.APPLIED);

    /** A picture and its label map. */
    public record Pair(String name, Path image, Path label) {}

    /**
     * Lists a data set.
     *
     * @param root of detectron2's data sets, what DETECTRON2_DATASETS names
     * @throws BadInputException when a folder is missing or there is no pair
     */
    public static SegmentationSet open(Layout layout, Path root) {
        SortedMap<String, Path> images = files(folder(root.resolve(layout.images()), layout));
        SortedMap<String, Path> labels = files(folder(root.resolve(layout.labels()), layout));
        List<Pair> pairs = new ArrayList<>();
        labels.forEach((name, label) -> {
            if (images.containsKey(name)) {
                pairs.add(new Pair(name, images.get(name), label));
            }
        });
        if (pairs.isEmpty()) {
            throw new BadInputException(root.resolve(layout.labels()) + ": none of " + labels.size()
                    + " label maps has a picture of its name in " + root.resolve(layout.images()));
        }
        List<String> warnings = new ArrayList<>();
        tellMissing(labels, images, "label map", "picture", warnings);
        tellMissing(images, labels, "picture", "label map", warnings);
        return new SegmentationSet(layout, List.copyOf(pairs), List.copyOf(warnings));
    }

    private static void tellMissing(
            SortedMap<String, Path> these,
            SortedMap<String, Path> others,
            String kind,
            String other,
            List<String> out) {
        List<Path> alone = these.entrySet().stream()
                .filter(entry -> !others.containsKey(entry.getKey()))
                .map(entry -> entry.getValue())
                .toList();
        if (!alone.isEmpty()) {
            out.add(alone.get(0) + ": this " + kind
                    + (alone.size() > 1 ? " and " + (alone.size() - 1) + " more have" : " has") + " no " + other
                    + " of the same name and " + (alone.size() > 1 ? "are" : "is") + " left out");
        }
    }

    private static Path folder(Path folder, Layout layout) {
        if (!Files.isDirectory(folder)) {
            throw new BadInputException(
                    folder + ": no such folder; expected the root of detectron2's data sets as data, below which "
                            + layout.name() + " has " + layout.images() + " and " + layout.labels());
        }
        return folder;
    }

    /** The pictures of a folder by name without the ending. */
    static SortedMap<String, Path> files(Path folder) {
        SortedMap<String, Path> files = new TreeMap<>();
        try (Stream<Path> listed = Files.list(folder)) {
            listed.sorted().forEach(file -> {
                String name = file.getFileName().toString();
                int dot = name.lastIndexOf('.');
                boolean isImage = dot > 0
                        && !name.startsWith(".")
                        && ImageDecoder.SUFFIXES.contains(
                                name.substring(dot + 1).toLowerCase(Locale.ROOT));
                if (isImage && files.put(name.substring(0, dot), file) != null) {
                    throw new BadInputException(file + ": two files of that name but for their endings");
                }
            });
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
        return files;
    }

    /** The first pairs alone. */
    public SegmentationSet limited(int count) {
        return new SegmentationSet(layout, pairs.subList(0, Math.min(count, pairs.size())), warnings);
    }

    /** The picture, upright. */
    public static RasterImage image(Path file) {
        return DECODER.decode(ImageEntry.of(file).read(), file.toString());
    }

    /**
     * The labels of a picture.
     *
     * @throws BadInputException when they are of another size, or one is no class
     */
    public int[] labels(Pair pair, RasterImage image) {
        return labels(
                pair.label,
                pair,
                image,
                value -> value == layout.ignored(),
                " and " + layout.ignored()
                        + " for what is ignored (are these the raw labels, not the converted ones?)");
    }

    /**
     * The labels of a picture in another file.
     *
     * @param others values that are allowed beside the classes
     * @param named what they are called
     */
    int[] labels(Path file, Pair pair, RasterImage image, IntPredicate others, String named) {
        LabelMap map = LabelMap.decode(ImageEntry.of(file).read(), file.toString());
        if (map.width() != image.width() || map.height() != image.height()) {
            throw new BadInputException(file + ": " + map.width() + "x" + map.height() + " labels for " + pair.image
                    + " of " + image.width() + "x" + image.height() + "; expected one for each pixel");
        }
        int classes = layout.classes().size();
        for (int i = 0; i < map.values().length; i++) {
            int value = map.values()[i];
            if (value >= classes && !others.test(value)) {
                throw new BadInputException(file + ": label " + value + " at column " + i % map.width() + ", row "
                        + i / map.width() + "; " + layout.name() + " has 0.." + (classes - 1) + named);
            }
        }
        return map.values();
    }
}
