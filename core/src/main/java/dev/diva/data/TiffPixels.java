package dev.diva.data;

import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** The first image of a TIFF file in its own mode, as it is stored; of 16-bit samples the high byte is kept. */
final class TiffPixels {
    private static final int PHOTOMETRIC = 0x106;
    private static final int SEPARATED = 5;

    private TiffPixels() {}

    static RasterImage decode(byte[] file, long maxPixels) throws IOException {
        ImageHeader.Bytes in = new ImageHeader.Bytes(file);
        return Exif.value(in, 0, file.length, PHOTOMETRIC) == SEPARATED
                ? inks(file, maxPixels)
                : pixels(ImageDecoder.read(reader(), file, maxPixels));
    }

    /** The samples of the first image as they are stored. */
    static Raster raster(byte[] file, long maxPixels) throws IOException {
        return ImageDecoder.read(reader(), file, maxPixels).getRaster();
    }

    private static ImageReader reader() throws IOException {
        return new TIFFImageReaderSpi().createReaderInstance(null);
    }

    private static RasterImage pixels(BufferedImage image) throws IOException {
        Raster raster = image.getRaster();
        if (image.getColorModel() instanceof IndexColorModel indexed) {
            return BufferedPixels.indexed(raster, indexed);
        }
        if (image.isAlphaPremultiplied()) {
            return BufferedPixels.of(image);
        }
        ColorMode mode = switch (raster.getNumBands()) {
            case 1 -> ColorMode.L;
            case 2 -> ColorMode.LA;
            case 3 -> ColorMode.RGB;
            case 4 -> ColorMode.RGBA;
            default -> throw new IOException(raster.getNumBands() + " samples a pixel; 1 to 4 are read");
        };
        return BufferedPixels.bands(raster, mode, depth(raster));
    }

    private static RasterImage inks(byte[] file, long maxPixels) throws IOException {
        ImageReader reader = reader();
        try (ImageInputStream in = ImageDecoder.stream(file)) {
            reader.setInput(in, true, true);
            if ((long) reader.getWidth(0) * reader.getHeight(0) > maxPixels) {
                throw new IOException("more pixels than the limit of " + maxPixels);
            }
            Raster raster = reader.readRaster(0, null);
            if (raster.getNumBands() < 4) {
                throw new IOException(raster.getNumBands() + " inks; 4 are read");
            }
            return BufferedPixels.bands(raster, ColorMode.CMYK, depth(raster));
        } finally {
            reader.dispose();
        }
    }

    private static int depth(Raster raster) throws IOException {
        int depth = raster.getSampleModel().getSampleSize(0);
        if (depth > 16 || raster.getTransferType() == DataBuffer.TYPE_FLOAT) {
            throw new IOException("samples of " + depth + " bits; whole numbers of at most 16 are read");
        }
        return depth;
    }
}
