package dev.diva.data;

/** The size that an AVIF declares for its main image, which is the largest among images, tiles, transparency and thumbnails. */
final class AvifHeader {
    private AvifHeader() {}

    /** Whether a file says so, by its own brand or, where that is the container's, by one of those that it agrees with. */
    static boolean matches(ImageHeader.Bytes in) {
        if (!in.startsWith(4, 'f', 't', 'y', 'p')) {
            return false;
        }
        int limit = Math.min(in.data().length, Math.min(256, in.bigInt(0)));
        for (int brand = 8; brand + 4 <= limit; brand += 4) {
            if (in.startsWith(brand, 'a', 'v', 'i', 'f') || in.startsWith(brand, 'a', 'v', 'i', 's')) {
                return true;
            }
        }
        return false;
    }

    static ImageHeader read(ImageHeader.Bytes in) {
        int end = in.data().length;
        int[] meta = box(in, 0, end, 'm', 'e', 't', 'a');
        int[] properties = box(in, meta[0] + 4, meta[1], 'i', 'p', 'r', 'p');
        int[] sizes = box(in, properties[0], properties[1], 'i', 'p', 'c', 'o');
        int width = 0;
        int height = 0;
        for (int at = sizes[0]; at + 8 <= sizes[1]; at = end(in, at, sizes[1])) {
            if (in.startsWith(at + 4, 'i', 's', 'p', 'e')) {
                int[] size = {in.bigInt(at + 12), in.bigInt(at + 16)};
                if (size[0] < 0 || size[1] < 0) {
                    return new ImageHeader(ImageHeader.Format.AVIF, size[0], size[1]);
                }
                if ((long) size[0] * size[1] > (long) width * height) {
                    width = size[0];
                    height = size[1];
                }
            }
        }
        return new ImageHeader(ImageHeader.Format.AVIF, width, height);
    }

    /** Where the content of the first box of a kind begins and ends. */
    private static int[] box(ImageHeader.Bytes in, int from, int limit, int... kind) {
        for (int at = from; at + 8 <= limit; at = end(in, at, limit)) {
            if (in.startsWith(at + 4, kind)) {
                return new int[] {at + 8, end(in, at, limit)};
            }
        }
        throw new IndexOutOfBoundsException("no such box");
    }

    /** A length of 0 means: until the end. Boxes of 4 GB and more are refused as cut. */
    private static int end(ImageHeader.Bytes in, int box, int limit) {
        long length = Integer.toUnsignedLong(in.bigInt(box));
        long end = length == 0 ? limit : box + length;
        if (end > limit || end < box + 8L) {
            throw new IndexOutOfBoundsException("a box leaves the file");
        }
        return (int) end;
    }
}
