package dev.diva.data;

import dev.diva.BadInputException;
import dev.diva.Sha256;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a sample of the images says about the data.
 *
 * @param images images in the set
 * @param checked images of the sample, read or not
 * @param unreadable those that could not be read, with the reason
 * @param padded share of the readable images with a uniform white or black border
 * @param small share of the readable images whose shortest side is below the resolution
 * @param exactDuplicates names of byte-equal files, grouped
 * @param nearDuplicates names of images with the same 64-bit difference hash but other bytes, grouped
 */
public record DataCheck(
        int images,
        int checked,
        List<DataProblem> unreadable,
        double padded,
        double small,
        List<List<String>> exactDuplicates,
        List<List<String>> nearDuplicates) {

    /** A border counts from this share of the side on. */
    private static final double BORDER = 0.04;

    private static final int TOLERANCE = 6;

    /**
     * Reads a sample of the images.
     *
     * @param sample most images to read, chosen by the seed
     * @param resolution side that the training wants, pixels
     */
    public static DataCheck run(ImageSet images, ImageDecoder decoder, int sample, long seed, int resolution) {
        SampleOrder order = new SampleOrder(images.size(), seed, true);
        int checked = Math.min(sample, images.size());
        List<DataProblem> unreadable = new ArrayList<>();
        Map<String, List<String>> byBytes = new HashMap<>();
        Map<Long, Map<String, String>> byLook = new HashMap<>();
        int padded = 0;
        int small = 0;
        for (int i = 0; i < checked; i++) {
            ImageEntry entry = images.entries().get(order.index(i));
            try {
                byte[] file = entry.read();
                RasterImage image = decoder.decode(file, entry.name()).toRgb();
                padded += isPadded(image) ? 1 : 0;
                small += Math.min(image.width(), image.height()) < resolution ? 1 : 0;
                String digest = Sha256.of(file);
                byBytes.computeIfAbsent(digest, key -> new ArrayList<>()).add(entry.name());
                byLook.computeIfAbsent(differenceHash(image), key -> new HashMap<>())
                        .putIfAbsent(digest, entry.name());
            } catch (BadInputException e) {
                unreadable.add(new DataProblem(entry.name(), e.getMessage()));
            }
        }
        double readable = Math.max(1, checked - unreadable.size());
        return new DataCheck(
                images.size(),
                checked,
                List.copyOf(unreadable),
                padded / readable,
                small / readable,
                groups(byBytes.values().stream().toList()),
                groups(byLook.values().stream()
                        .map(names -> List.copyOf(names.values()))
                        .toList()));
    }

    private static List<List<String>> groups(List<List<String>> candidates) {
        return candidates.stream()
                .filter(names -> names.size() > 1)
                .map(names -> names.stream().sorted().toList())
                .sorted((a, b) -> a.get(0).compareTo(b.get(0)))
                .collect(Collectors.toUnmodifiableList());
    }

    /** White or black bands of the same colour at two opposite sides. */
    static boolean isPadded(RasterImage rgb) {
        int rows = Math.max(2, (int) (rgb.height() * BORDER));
        int columns = Math.max(2, (int) (rgb.width() * BORDER));
        if (rows * 2 >= rgb.height() || columns * 2 >= rgb.width()) {
            return false;
        }
        for (int value : new int[] {0, 255}) {
            boolean all = uniform(rgb, rgb.bounds(), value);
            boolean rowsPadded = uniform(rgb, new Box(0, 0, rows, rgb.width()), value)
                    && uniform(rgb, new Box(rgb.height() - rows, 0, rows, rgb.width()), value);
            boolean columnsPadded = uniform(rgb, new Box(0, 0, rgb.height(), columns), value)
                    && uniform(rgb, new Box(0, rgb.width() - columns, rgb.height(), columns), value);
            if (!all && (rowsPadded || columnsPadded)) {
                return true;
            }
        }
        return false;
    }

    private static boolean uniform(RasterImage rgb, Box box, int value) {
        for (int y = box.top(); y < box.top() + box.height(); y++) {
            int from = (y * rgb.width() + box.left()) * 3;
            for (int i = from; i < from + box.width() * 3; i++) {
                if (Math.abs((rgb.samples()[i] & 0xff) - value) > TOLERANCE) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Whether each of 8x8 cells is brighter than its right neighbour, a bit each. */
    static long differenceHash(RasterImage rgb) {
        byte[] cells = Resampler.resize(rgb, 9, 8, Filter.BILINEAR).samples();
        long hash = 0;
        for (int y = 0; y < 8; y++) {
            for (int x = 0; x < 8; x++) {
                hash = hash << 1 | (brightness(cells, y * 9 + x) > brightness(cells, y * 9 + x + 1) ? 1 : 0);
            }
        }
        return hash;
    }

    private static int brightness(byte[] rgb, int pixel) {
        return 299 * (rgb[pixel * 3] & 0xff) + 587 * (rgb[pixel * 3 + 1] & 0xff) + 114 * (rgb[pixel * 3 + 2] & 0xff);
    }
}
