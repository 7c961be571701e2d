package dev.diva.bench.images;

import dev.diva.data.Box;
import dev.diva.data.Filter;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageSet;
import dev.diva.data.RandomCrop;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;
import java.util.Locale;

/**
 * Decodes every image of a folder, takes a random crop and resizes it to 512 x 512: {@code FOLDER ROUNDS}. Prints a line of JSON with the
 * processor time of this thread for an image, best of the rounds.
 */
public final class ImagesBench {
    private static final int SIDE = 512;

    private ImagesBench() {}

    public static void main(String[] args) {
        ImageSet images = ImageSet.open(List.of(args[0]), problem -> {});
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        int rounds = Integer.parseInt(args[1]);
        double best = Double.MAX_VALUE;
        for (int round = 0; round <= rounds; round++) { // the first one warms up
            long start = threads.getCurrentThreadCpuTime();
            for (int i = 0; i < images.size(); i++) {
                square(images.entries().get(i), round, i);
            }
            double millis = (threads.getCurrentThreadCpuTime() - start) * 1e-6 / images.size();
            best = round == 0 ? best : Math.min(best, millis);
        }
        System.out.printf(Locale.ROOT, "{\"who\": \"diva\", \"images\": %d, \"millis\": %.2f}%n", images.size(), best);
    }

    private static RasterImage square(ImageEntry entry, int round, int index) {
        RasterImage rgb =
                ImageDecoder.reference().decode(entry.read(), entry.name()).toRgb();
        Box box = RandomCrop.published().box(rgb.width(), rgb.height(), 1, round, index);
        return Resampler.resize(rgb, box, SIDE, SIDE, Filter.BICUBIC);
    }
}
