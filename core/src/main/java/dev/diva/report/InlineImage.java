package dev.diva.report;

import dev.diva.BadInputException;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Optional;
import javax.imageio.ImageIO;

/**
 * An image inside the page.
 *
 * @param uri data URI, null when there is no picture; PNG for small pictures and JPEG for photographs
 * @param small whether single pixels should stay visible when the page enlarges it
 */
public record InlineImage(String uri, boolean small) {
    /** In place of a picture that cannot be shown. */
    static final InlineImage NONE = new InlineImage(null, false);

    private static final int LARGEST = 256;
    private static final int SMALL = 96;

    /** Reads and shrinks the file; empty when it is not there or not an image, for a report should not fail for a picture. */
    static Optional<InlineImage> read(Path file) {
        return read(file.toString());
    }

    /** The same of an image in a tar too, named {@code tar!member}, or behind an address. */
    static Optional<InlineImage> read(String name) {
        try {
            BufferedImage image = ImageDecoder.reference()
                    .decode(ImageEntry.named(name).read(), name)
                    .toBuffered();
            return Optional.of(inline(image));
        } catch (BadInputException | InvalidPathException | IOException | UncheckedIOException e) {
            return Optional.empty();
        }
    }

    private static InlineImage inline(BufferedImage image) throws IOException {
        int side = Math.max(image.getWidth(), image.getHeight());
        boolean small = side <= SMALL;
        String format = small ? "png" : "jpeg";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(shrink(image, Math.min(1, (double) LARGEST / side)), format, bytes);
        String base64 = Base64.getEncoder().encodeToString(bytes.toByteArray());
        return new InlineImage("data:image/" + format + ";base64," + base64, small);
    }

    private static BufferedImage shrink(BufferedImage image, double scale) {
        int width = Math.max(1, (int) Math.round(image.getWidth() * scale));
        int height = Math.max(1, (int) Math.round(image.getHeight() * scale));
        BufferedImage shrunk = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = shrunk.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        graphics.drawImage(image, 0, 0, width, height, Color.WHITE, null);
        graphics.dispose();
        return shrunk;
    }
}
