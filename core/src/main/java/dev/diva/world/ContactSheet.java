package dev.diva.world;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Many small images on one, enlarged without smoothing, to be looked at.
 *
 * @param columns images in a row
 * @param zoom how many pixels of the sheet a pixel of an image becomes, each way
 * @param together images that belong together (2 for pairs) and stand closer
 */
public record ContactSheet(int columns, int zoom, int together) {
    private static final int GAP = 8;
    private static final int CLOSE = 2;
    private static final Color PAPER = new Color(250, 248, 244);

    /** The sheet; images are all of the size of the first. */
    public BufferedImage of(List<BufferedImage> images) {
        int side = images.get(0).getWidth() * zoom;
        int rows = (images.size() + columns - 1) / columns;
        int width = left(columns - 1, side) + side + GAP;
        BufferedImage sheet = new BufferedImage(width, rows * (side + GAP) + GAP, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setColor(PAPER);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR);
        for (int i = 0; i < images.size(); i++) {
            int top = GAP + i / columns * (side + GAP);
            graphics.drawImage(images.get(i), left(i % columns, side), top, side, side, null);
        }
        graphics.dispose();
        return sheet;
    }

    /** Writes the sheet as a PNG file. */
    public void write(List<BufferedImage> images, Path file) throws IOException {
        Files.write(file, ImageFormats.png(of(images)));
    }

    private int left(int column, int side) {
        return GAP + column * (side + CLOSE) + column / together * (GAP - CLOSE);
    }
}
