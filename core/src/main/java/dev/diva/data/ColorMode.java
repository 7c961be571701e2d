package dev.diva.data;

/** Colour mode of decoded pixels, under Pillow's names; samples are interleaved bytes. */
public enum ColorMode {
    L(1),
    LA(2),
    /** Index into a palette. Bilevel images are kept as a palette of black and white. */
    P(1),
    RGB(3),
    RGBA(4),
    CMYK(4);

    private final int channels;

    ColorMode(int channels) {
        this.channels = channels;
    }

    /** Bytes per pixel. */
    public int channels() {
        return channels;
    }

    boolean hasAlpha() {
        return this == LA || this == RGBA;
    }
}
