package dev.diva.data;

import dev.diva.BadInputException;

/**
 * What the markers of a JPEG file before its scan say.
 *
 * @param components number of colour components
 * @param adobeTransform the Adobe marker's transform, or -1 without the marker
 * @param orientation EXIF orientation, 1 if absent
 * @param end first byte behind the frame header
 */
record JpegHeader(int width, int height, int components, int adobeTransform, int orientation, int end) {
    static JpegHeader read(ImageHeader.Bytes in, String name) {
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
                int end = at + 2 + in.big(at + 2);
                if (isFrame(marker)) {
                    return new JpegHeader(in.big(at + 7), in.big(at + 5), in.at(at + 9), adobe, orientation, end);
                }
                if (marker == 0xee && in.startsWith(at + 4, 'A', 'd', 'o', 'b', 'e')) {
                    adobe = in.at(at + 15);
                }
                if (marker == 0xe1 && in.startsWith(at + 4, 'E', 'x', 'i', 'f', 0, 0)) {
                    orientation = Exif.orientation(in, at + 10, end);
                }
                at = end;
            }
        }
    }

    private static boolean isFrame(int marker) {
        return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    }
}
