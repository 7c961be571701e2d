package dev.diva.data;

import java.awt.image.BufferedImage;

/**
 * A decoded image in the file's own colour mode.
 *
 * @param samples [height, width, channels], 0..255; not copied
 * @param palette RGB triples for {@link ColorMode#P}, 768 bytes; else null
 */
public record RasterImage(ColorMode mode, int width, int height, byte[] samples, byte[] palette) {
    public RasterImage {
        if (width < 1 || height < 1 || samples.length != (long) width * height * mode.channels()) {
            throw new IllegalArgumentException(
                    "a " + mode + " image of " + width + "x" + height + " with " + samples.length + " samples");
        }
    }

    /** An image without a palette. */
    public static RasterImage of(ColorMode mode, int width, int height, byte[] samples) {
        return new RasterImage(mode, width, height, samples, null);
    }

    /** The samples of an image of the JDK's, in sRGB; grey, palette and alpha are kept. */
    public static RasterImage of(BufferedImage image) {
        return BufferedPixels.of(image);
    }

    /** The same colours as an image of the JDK's; alpha is dropped. */
    public BufferedImage toBuffered() {
        byte[] samples = toRgb().samples();
        BufferedImage buffered = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) {
            int rgb = (samples[3 * i] & 0xff) << 16 | (samples[3 * i + 1] & 0xff) << 8 | (samples[3 * i + 2] & 0xff);
            buffered.setRGB(i % width, i / width, rgb);
        }
        return buffered;
    }

    /** The whole image as a box. */
    public Box bounds() {
        return new Box(0, 0, height, width);
    }

    /** Index of the first sample of a pixel. */
    int at(int x, int y) {
        return (y * width + x) * mode.channels();
    }

    /** The pixels of a box that lies inside the image. */
    public RasterImage crop(Box box) {
        box.requireInside(width, height);
        if (box.equals(bounds())) {
            return this;
        }
        int channels = mode.channels();
        byte[] out = new byte[box.height() * box.width() * channels];
        for (int y = 0; y < box.height(); y++) {
            int from = at(box.left(), box.top() + y);
            System.arraycopy(samples, from, out, y * box.width() * channels, box.width() * channels);
        }
        return new RasterImage(mode, box.width(), box.height(), out, palette);
    }

    /** The same in RGB as Pillow's {@code convert("RGB")} makes it: alpha is dropped, CMYK is converted without a profile. */
    public RasterImage toRgb() {
        if (mode == ColorMode.RGB) {
            return this;
        }
        byte[] rgb = new byte[width * height * 3];
        int channels = mode.channels();
        for (int i = 0, from = 0, to = 0; i < width * height; i++, from += channels, to += 3) {
            switch (mode) {
                case L, LA -> {
                    byte value = samples[from];
                    rgb[to] = value;
                    rgb[to + 1] = value;
                    rgb[to + 2] = value;
                }
                case P -> System.arraycopy(palette, (samples[from] & 0xff) * 3, rgb, to, 3);
                case CMYK -> cmykToRgb(from, rgb, to);
                default -> System.arraycopy(samples, from, rgb, to, 3);
            }
        }
        return of(ColorMode.RGB, width, height, rgb);
    }

    private void cmykToRgb(int from, byte[] rgb, int to) {
        int light = 255 - (samples[from + 3] & 0xff);
        for (int c = 0; c < 3; c++) {
            rgb[to + c] = (byte) Math.max(0, light - multiply(samples[from + c] & 0xff, light));
        }
    }

    /** {@code a * b / 255}, rounded, as Pillow computes it. */
    static int multiply(int a, int b) {
        int product = a * b + 128;
        return ((product >> 8) + product) >> 8;
    }
}
