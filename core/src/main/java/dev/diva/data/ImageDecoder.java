package dev.diva.data;

import dev.diva.BadInputException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Decodes JPEG, PNG, WebP, GIF (first frame) and BMP, told apart by their first bytes, into the file's own colour mode. Safe for any
 * number of threads.
 *
 * @param maxPixels images that declare more are refused before anything is allocated
 * @param orientation whether a JPEG's EXIF orientation is applied
 */
public record ImageDecoder(long maxPixels, Orientation orientation) {
    /** The limit above which Pillow calls an image a decompression bomb. */
    public static final long PILLOW_BOMB_PIXELS = 178_956_970;

    /** What is done with the EXIF orientation of JPEG files. */
    public enum Orientation {
        /** Nothing, like every reference transform. */
        IGNORED,
        /** The image is turned upright. */
        APPLIED
    }

    /** The behaviour of the reference code. */
    public static ImageDecoder reference() {
        return new ImageDecoder(PILLOW_BOMB_PIXELS, Orientation.IGNORED);
    }

    /**
     * Decodes the bytes of a file.
     *
     * @param name names the image in errors
     * @throws BadInputException for anything that is not a whole image; no other exception is thrown
     */
    public RasterImage decode(byte[] file, String name) {
        ImageHeader header = ImageHeader.read(file, name);
        if ((long) header.width() * header.height() > maxPixels) {
            throw new BadInputException(name + ": the header declares " + header.width() + "x" + header.height()
                    + " pixels, more than the limit of " + maxPixels);
        }
        try {
            RasterImage image = switch (header.format()) {
                case JPEG -> JpegPixels.decode(file, name);
                case PNG -> PngPixels.decode(file, name);
                default -> BufferedPixels.of(read(file, header.format().name(), maxPixels));
            };
            if (image.width() != header.width() || image.height() != header.height()) {
                if (header.format() != ImageHeader.Format.GIF) {
                    throw new BadInputException(name + ": header and pixels differ in size");
                }
            }
            if (header.format() == ImageHeader.Format.JPEG && orientation == Orientation.APPLIED) {
                JpegHeader jpeg = JpegHeader.read(new ImageHeader.Bytes(file), name);
                return Exif.upright(image, jpeg.orientation());
            }
            return image;
        } catch (BadInputException e) {
            throw e;
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new BadInputException(
                    name + ": not a whole " + header.format() + " image: "
                            + reason.lines().findFirst().orElse(""),
                    e);
        }
    }

    static BufferedImage read(byte[] file, String format, long maxPixels) throws IOException {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format.toLowerCase(Locale.ROOT));
        if (!readers.hasNext()) {
            throw new IOException("no reader of " + format + " is installed");
        }
        ImageReader reader = readers.next();
        try (ImageInputStream in = stream(file)) {
            reader.setInput(in, true, true);
            if ((long) reader.getWidth(0) * reader.getHeight(0) > maxPixels) { // a GIF's frame may exceed its header
                throw new IOException("a frame of " + reader.getWidth(0) + "x" + reader.getHeight(0)
                        + " pixels, more than the limit of " + maxPixels);
            }
            BufferedImage image = reader.read(0);
            if (image == null) {
                throw new IOException("no pixels");
            }
            return image;
        } finally {
            reader.dispose();
        }
    }

    static ImageInputStream stream(byte[] file) {
        return new MemoryCacheImageInputStream(new ByteArrayInputStream(file));
    }
}
