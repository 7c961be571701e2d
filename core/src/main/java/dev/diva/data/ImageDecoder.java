package dev.diva.data;

import dev.diva.BadInputException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Decodes JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and binary PGM and PPM, told apart by their first bytes, into the file's own colour mode
 * with the pixels of Pillow 13, whatever the JDK. Of several frames the first counts, on its canvas. Profiles, gamma and transparent
 * colours change nothing. Safe for any number of threads.
 *
 * @param maxPixels images that declare more are refused before anything is allocated
 * @param orientation whether a JPEG's EXIF orientation is applied; that of a TIFF always is, as by Pillow
 */
public record ImageDecoder(long maxPixels, Orientation orientation) {
    /** The limit above which Pillow calls an image a decompression bomb. */
    public static final long PILLOW_BOMB_PIXELS = 178_956_970;

    /** Endings, after the last point and in small letters, of the names of files that are images of these formats. */
    public static final Set<String> SUFFIXES = Set.of(
            "jpg", "jpeg", "jpe", "jfif", "jif", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff", "avif",
            "ppm", "pgm", "pnm");

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
                case GIF -> GifPixels.decode(file, maxPixels);
                case WEBP -> WebpPixels.decode(file, header, maxPixels);
                case BMP -> BufferedPixels.of(read(javasReader("bmp"), file, maxPixels));
                case TIFF -> TiffPixels.decode(file, maxPixels);
                case AVIF -> AvifPixels.decode(file, maxPixels);
                case PNM -> LeptonicaPixels.pnm(file);
            };
            if (image.width() != header.width() || image.height() != header.height()) {
                throw new BadInputException(name + ": header and pixels differ in size");
            }
            if (header.format() == ImageHeader.Format.TIFF) {
                return Exif.upright(image, Exif.orientation(new ImageHeader.Bytes(file), 0, file.length));
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

    /** The JDK's own reader of a format. */
    static ImageReader javasReader(String format) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (reader.getClass().getName().startsWith("com.sun.imageio")) {
                return reader;
            }
        }
        throw new IllegalStateException("this Java has no reader of " + format);
    }

    /** The first image of a file; the reader is disposed of. */
    static BufferedImage read(ImageReader reader, byte[] file, long maxPixels) throws IOException {
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
