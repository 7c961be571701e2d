package dev.diva.segment;

import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A picture with its classes in colours over it and a legend below: a row for each class that is there, the largest first, with its share
 * of the pixels.
 */
public final class Overlay {
    private static final double GOLDEN_ANGLE = 0.618033988749895; // of a turn: neighbours in the list differ most
    private static final int ROW = 20;
    private static final int MIN_WIDTH = 160;

    private Overlay() {}

    /**
     * A class that is in a picture.
     *
     * @param color 0xRRGGBB
     * @param share of the pixels
     */
    public record Entry(String name, int color, double share) {}

    /** The classes that are there, the largest first; labels beyond the names are no class. */
    public static List<Entry> legend(List<String> names, int... labels) {
        int[] pixels = new int[names.size()];
        for (int label : labels) {
            if (label < pixels.length) {
                pixels[label]++;
            }
        }
        List<Entry> entries = new ArrayList<>();
        for (int c = 0; c < pixels.length; c++) {
            if (pixels[c] > 0) {
                entries.add(new Entry(names.get(c), color(c), (double) pixels[c] / labels.length));
            }
        }
        entries.sort((a, b) -> Double.compare(b.share, a.share));
        return entries;
    }

    /**
     * Halfway between picture and colours, the legend below; labels beyond the names leave the picture as it is. A picture that is narrower than
     * its legend is enlarged by a whole number.
     */
    public static RasterImage draw(RasterImage image, List<String> names, int... labels) {
        List<Entry> legend = legend(names, labels);
        int zoom = zoom(image.width(), image.height());
        int width = Math.max(MIN_WIDTH, zoom * image.width());
        int height = zoom * image.height();
        BufferedImage canvas = new BufferedImage(width, height + ROW * legend.size(), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = canvas.createGraphics();
        try {
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, canvas.getWidth(), canvas.getHeight());
            blend(image.toRgb(), names.size(), canvas, zoom, labels);
            write(graphics, height, legend);
        } finally {
            graphics.dispose();
        }
        return raster(canvas);
    }

    /** How many times larger a picture is drawn; tall and narrow ones are not. */
    private static int zoom(int width, int height) {
        return Math.max(1, MIN_WIDTH / Math.max(width, height));
    }

    private static void blend(RasterImage rgb, int classes, BufferedImage canvas, int zoom, int... labels) {
        byte[] samples = rgb.samples();
        for (int i = 0; i < labels.length; i++) {
            int own =
                    ((samples[3 * i] & 0xff) << 16) | ((samples[3 * i + 1] & 0xff) << 8) | (samples[3 * i + 2] & 0xff);
            int mixed = labels[i] < classes ? half(own) + half(color(labels[i])) : own;
            for (int j = 0; j < zoom * zoom; j++) {
                canvas.setRGB(i % rgb.width() * zoom + j % zoom, i / rgb.width() * zoom + j / zoom, mixed);
            }
        }
    }

    /** Of each of the three parts of a colour. */
    private static int half(int color) {
        return (color >> 1) & 0x7f7f7f;
    }

    private static void write(Graphics2D graphics, int top, List<Entry> legend) {
        graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        for (int i = 0; i < legend.size(); i++) {
            Entry entry = legend.get(i);
            int y = top + i * ROW;
            graphics.setColor(new Color(entry.color));
            graphics.fillRect(3, y + 3, ROW - 6, ROW - 6);
            graphics.setColor(Color.BLACK);
            String text = String.format(Locale.ROOT, "%s  %.1f %%", entry.name, 100 * entry.share);
            graphics.drawString(text, ROW + 3, y + ROW - 6);
        }
    }

    private static int color(int c) {
        float hue = (float) (c * GOLDEN_ANGLE % 1);
        return Color.HSBtoRGB(hue, c % 2 == 0 ? 0.9f : 0.6f, c % 3 == 2 ? 0.7f : 0.95f) & 0xffffff;
    }

    private static RasterImage raster(BufferedImage canvas) {
        int width = canvas.getWidth();
        byte[] samples = new byte[3 * width * canvas.getHeight()];
        for (int i = 0; i < samples.length / 3; i++) {
            int rgb = canvas.getRGB(i % width, i / width);
            samples[3 * i] = (byte) (rgb >> 16);
            samples[3 * i + 1] = (byte) (rgb >> 8);
            samples[3 * i + 2] = (byte) rgb;
        }
        return RasterImage.of(ColorMode.RGB, width, canvas.getHeight(), samples);
    }
}
