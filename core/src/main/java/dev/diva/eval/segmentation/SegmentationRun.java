package dev.diva.eval.segmentation;

import dev.diva.BadInputException;
import dev.diva.data.RasterImage;
import dev.diva.engine.ProcessGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Has a model name the pixels of a set, shared by the processes of a group; what the record holds already is not asked for again. Further
 * processes write records of their own beside it, which the first one takes up: at the end, or when a killed run goes on.
 *
 * @param file of the record, see {@link SegmentationRecord}
 * @param scored names model, method and set by all that changes their answers
 */
public record SegmentationRun(SegmentationSet set, Path file, String scored, ProcessGroup processGroup) {
    /** Is told of every picture of this process. */
    public interface Listener {
        /** So many of all are done. */
        void done(int count, int all);
    }

    /** What the pictures of a set are named by. */
    public interface Labels {
        /** A class for each pixel, in row-major order. */
        int[] of(SegmentationSet.Pair pair, RasterImage image);
    }

    /** What is done with the labels of a picture beside counting them. */
    public interface Pictures {
        /** Nothing. */
        Pictures NONE = new Pictures() {
            @Override
            public boolean wants(SegmentationSet.Pair pair) {
                return false;
            }

            @Override
            public void take(SegmentationSet.Pair pair, RasterImage image, int... labels) {}
        };

        /** Whether a picture is to be named even if it is counted. */
        boolean wants(SegmentationSet.Pair pair);

        /** Takes the labels of a picture. */
        void take(SegmentationSet.Pair pair, RasterImage image, int... labels);
    }

    /** Counts what a model says of every picture, see {@link #counts(Labels, Pictures, Listener)}. */
    public List<PixelCounts> counts(Segmenter model, Pictures pictures, Listener listener) {
        return counts((pair, image) -> model.labels(image), pictures, listener);
    }

    /**
     * Counts every picture of the set.
     *
     * @return in the order of the set; nothing on a further process
     * @throws BadInputException naming the file that cannot be scored; what was done before is kept
     */
    public List<PixelCounts> counts(Labels model, Pictures pictures, Listener listener) {
        int classes = set.layout().classes().size();
        boolean isFirst = processGroup.isFirst();
        Path own = isFirst ? file : file.resolveSibling(file.getFileName() + ".rank-" + processGroup.rank());
        if (isFirst) {
            takeUp(classes);
        }
        processGroup.awaitAll();
        try (SegmentationRecord record = new SegmentationRecord(own, scored, classes)) {
            String names = isFirst ? String.join("\n", record.images()) : "";
            Set<String> known = new HashSet<>(
                    processGroup.gather(names).stream().flatMap(String::lines).toList());
            int all = set.pairs().size();
            for (int i = processGroup.rank(); i < all; i += processGroup.worldSize()) {
                SegmentationSet.Pair pair = set.pairs().get(i);
                boolean isKnown = known.contains(pair.name()) || record.of(pair.name()) != null;
                if (!isKnown || pictures.wants(pair)) {
                    PixelCounts counts = counted(pair, model, pictures);
                    if (!isKnown) {
                        record.add(pair.name(), counts);
                    }
                }
                listener.done(i + 1, all);
            }
        }
        processGroup.awaitAll();
        return isFirst ? takeUp(classes) : List.of();
    }

    /** Takes up the records of further processes; the counts of the pictures that are there. */
    private List<PixelCounts> takeUp(int classes) {
        try (SegmentationRecord record = new SegmentationRecord(file, scored, classes)) {
            for (Path other : others()) {
                try (SegmentationRecord part = new SegmentationRecord(other, scored, classes)) {
                    for (String image : part.images()) {
                        if (record.of(image) == null) {
                            record.add(image, part.of(image));
                        }
                    }
                }
                Files.delete(other);
            }
            return set.pairs().stream()
                    .map(pair -> record.of(pair.name()))
                    .filter(counts -> counts != null)
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be completed: " + e.getMessage(), e);
        }
    }

    private List<Path> others() throws IOException {
        String prefix = file.getFileName() + ".rank-";
        try (Stream<Path> files = Files.list(file.toAbsolutePath().getParent())) {
            return files.filter(path -> path.getFileName().toString().startsWith(prefix))
                    .sorted()
                    .toList();
        }
    }

    private PixelCounts counted(SegmentationSet.Pair pair, Labels model, Pictures pictures) {
        RasterImage image = SegmentationSet.image(pair.image());
        int[] truth = set.labels(pair, image);
        try {
            int[] labels = model.of(pair, image);
            pictures.take(pair, image, labels);
            return PixelCounts.of(labels, truth, set.layout().classes().size());
        } catch (BadInputException e) {
            throw new BadInputException(pair.image() + ": " + e.getMessage(), e);
        }
    }
}
