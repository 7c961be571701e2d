package dev.diva.data;

import dev.diva.BadInputException;

/**
 * What the markers of a JPEG file before its scan say.
 *
 * @param components number of colour components
 * @param firstIds component ids as bytes of one number, first the highest
 * @param subsampled whether the first three components are not all sampled alike
 * @param adobeTransform the Adobe marker's transform, or -1 without the marker
 * @param orientation EXIF orientation, 1 if absent
 */
record JpegHeader(
        int width,
        int height,
        int components,
        int firstIds,
        boolean subsampled,
        boolean jfif,
        int adobeTransform,
        int orientation) {
    private static final int IDS_RGB = 'R' << 16 | 'G' << 8 | 'B';

    /** Whether the first three components are YCbCr, by libjpeg's rules. */
    boolean isYcc() {
        if (components == 4) {
            return adobeTransform == 2;
        }
        if (jfif) {
            return true;
        }
        return adobeTransform >= 0 ? adobeTransform != 0 : firstIds != IDS_RGB;
    }

    /** Whether they are YCbCr by the JDK's narrower rules, too: it takes components that are all sampled alike for RGB. */
    boolean isSurelyYcc() {
        return components == 3 && (adobeTransform < 0 ? isYcc() && (jfif || subsampled) : adobeTransform == 1);
    }

    static JpegHeader read(ImageHeader.Bytes in, String name) {
        boolean jfif = false;
        int adobe = -1;
        int orientation = 1;
        int at = 2;
        while (true) {
            if (in.at(at) != 0xff) {
                at++;
                continue;
            }
            int marker = in.at(at + 1);
            if (marker == 0xff) {
                at++;
            } else if (marker == 0 || marker == 1 || (marker >= 0xd0 && marker <= 0xd8)) {
                at += 2;
            } else if (marker == 0xd9 || marker == 0xda) {
                throw new BadInputException(name + ": the JPEG has no frame header before its data");
            } else {
                int length = in.big(at + 2);
                if (isFrame(marker)) {
                    return frame(in, at, jfif, adobe, orientation);
                }
                jfif |= marker == 0xe0 && in.startsWith(at + 4, 'J', 'F', 'I', 'F', 0);
                if (marker == 0xee && in.startsWith(at + 4, 'A', 'd', 'o', 'b', 'e')) {
                    adobe = in.at(at + 15);
                }
                if (marker == 0xe1 && in.startsWith(at + 4, 'E', 'x', 'i', 'f', 0, 0)) {
                    orientation = Exif.orientation(in, at + 10, at + 2 + length);
                }
                at += 2 + length;
            }
        }
    }

    private static JpegHeader frame(ImageHeader.Bytes in, int at, boolean jfif, int adobe, int orientation) {
        int components = in.at(at + 9);
        int ids = components >= 3 ? in.at(at + 10) << 16 | in.at(at + 13) << 8 | in.at(at + 16) : 0;
        boolean subsampled = components >= 3 && (in.at(at + 11) != in.at(at + 14) || in.at(at + 11) != in.at(at + 17));
        return new JpegHeader(in.big(at + 7), in.big(at + 5), components, ids, subsampled, jfif, adobe, orientation);
    }

    private static boolean isFrame(int marker) {
        return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    }
}
