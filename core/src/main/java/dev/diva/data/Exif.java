package dev.diva.data;

/** The orientation that a camera wrote, and its undoing. */
final class Exif {
    private static final int ORIENTATION = 0x0112;
    private static final int LONG = 4;

    private Exif() {}

    /** Orientation 1..8 of the EXIF data that starts with a TIFF header at {@code tiff}; 1 when absent or broken. */
    static int orientation(ImageHeader.Bytes in, int tiff, int end) {
        int value = value(in, tiff, end, ORIENTATION);
        return value >= 1 && value <= 8 ? value : 1;
    }

    /** A whole number of the first directory behind the TIFF header at {@code tiff}; -1 when absent or broken. */
    static int value(ImageHeader.Bytes in, int tiff, int end, int tag) {
        if (end > in.data().length || end - tiff < 14) {
            return -1;
        }
        boolean little = in.at(tiff) == 'I';
        int directory = number(in, tiff + 4, 4, little);
        if (directory < 8 || directory > end - tiff - 2) {
            return -1;
        }
        int entries = number(in, tiff + directory, 2, little);
        for (int i = 0; i < entries; i++) {
            int entry = tiff + directory + 2 + 12 * i;
            if (entry + 12 > end) {
                return -1;
            }
            if (number(in, entry, 2, little) == tag) {
                return number(in, entry + 8, number(in, entry + 2, 2, little) == LONG ? 4 : 2, little);
            }
        }
        return -1;
    }

    /** The image as it is to be looked at. */
    static RasterImage upright(RasterImage image, int orientation) {
        if (orientation == 1) {
            return image;
        }
        boolean turned = orientation >= 5;
        int width = turned ? image.height() : image.width();
        int height = turned ? image.width() : image.height();
        int channels = image.mode().channels();
        byte[] out = new byte[image.samples().length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int u = turned ? y : x;
                int v = turned ? x : y;
                int fromX = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8
                        ? image.width() - 1 - u
                        : u;
                int fromY = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7
                        ? image.height() - 1 - v
                        : v;
                System.arraycopy(
                        image.samples(),
                        (fromY * image.width() + fromX) * channels,
                        out,
                        (y * width + x) * channels,
                        channels);
            }
        }
        return new RasterImage(image.mode(), width, height, out, image.palette());
    }

    private static int number(ImageHeader.Bytes in, int from, int count, boolean little) {
        return little ? in.little(from, count) : count == 2 ? in.big(from) : in.bigInt(from);
    }
}
