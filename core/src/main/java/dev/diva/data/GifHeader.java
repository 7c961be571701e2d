package dev.diva.data;

import java.util.Arrays;

/**
 * What a GIF file says before the data of its first frame.
 *
 * @param width of the screen, or as far as the frame reaches
 * @param left where the frame is on the screen
 * @param transparent index of the transparent colour, -1 if absent
 * @param palette of the frame, else of the screen; RGB triples, empty if both are absent
 */
record GifHeader(int width, int height, int left, int top, int transparent, byte[] palette) {
    private static final int IMAGE = 0x2c;
    private static final int EXTENSION = 0x21;
    private static final int GRAPHIC_CONTROL = 0xf9;

    static GifHeader read(ImageHeader.Bytes in) {
        byte[] palette = palette(in, 10, 13);
        int transparent = -1;
        int at = 13 + palette.length;
        while (in.at(at) != IMAGE) {
            if (in.at(at) != EXTENSION) {
                at++;
                continue;
            }
            if (in.at(at + 1) == GRAPHIC_CONTROL && (in.at(at + 3) & 1) != 0) {
                transparent = in.at(at + 6);
            }
            at += 2;
            while (in.at(at) != 0) {
                at += 1 + in.at(at);
            }
            at++;
        }
        int left = in.little(at + 1, 2);
        int top = in.little(at + 3, 2);
        int width = Math.max(in.little(6, 2), left + in.little(at + 5, 2));
        int height = Math.max(in.little(8, 2), top + in.little(at + 7, 2));
        byte[] own = palette(in, at + 9, at + 10);
        return new GifHeader(width, height, left, top, transparent, own.length > 0 ? own : palette);
    }

    /** Whether every colour is the grey of its index. */
    boolean isGrey() {
        for (int i = 0; i < palette.length; i++) {
            if ((palette[i] & 0xff) != i / 3) {
                return false;
            }
        }
        return true;
    }

    private static byte[] palette(ImageHeader.Bytes in, int flagsAt, int from) {
        int flags = in.at(flagsAt);
        int length = (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
        if (from + length > in.data().length) {
            throw new IndexOutOfBoundsException(from + length);
        }
        return Arrays.copyOfRange(in.data(), from, from + length);
    }
}
