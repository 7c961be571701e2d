package dev.diva.data;

import dev.diva.BadInputException;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.io.IOException;

/**
 * A class for every pixel, as a PNG or TIFF of one channel stores it: an index into a palette, or 8 or 16 bits of grey. Colours mean
 * nothing.
 *
 * @param values in row-major order; not copied
 */
public record LabelMap(int width, int height, int[] values) {
    /**
     * Decodes the bytes of a file.
     *
     * @param name names the file in errors
     * @throws BadInputException for another format, several channels, real numbers, or a damaged file
     */
    public static LabelMap decode(byte[] file, String name) {
        ImageHeader header = ImageHeader.read(file, name);
        if ((long) header.width() * header.height() > ImageDecoder.PILLOW_BOMB_PIXELS) {
            throw new BadInputException(name + ": the header declares " + header.width() + "x" + header.height()
                    + " pixels, more than the limit of " + ImageDecoder.PILLOW_BOMB_PIXELS);
        }
        try {
            Raster raster = switch (header.format()) {
                case PNG -> PngPixels.raster(file, name);
                case TIFF -> TiffPixels.raster(file, ImageDecoder.PILLOW_BOMB_PIXELS);
                default ->
                    throw new BadInputException(
                            name + ": is a " + header.format() + "; a label map is a PNG or TIFF of one channel");
            };
            return of(raster, header, name);
        } catch (BadInputException e) {
            throw e;
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new BadInputException(
                    name + ": not a whole label map: "
                            + reason.lines().findFirst().orElse(""),
                    e);
        }
    }

    private static LabelMap of(Raster raster, ImageHeader header, String name) {
        boolean isWhole =
                raster.getTransferType() == DataBuffer.TYPE_BYTE || raster.getTransferType() == DataBuffer.TYPE_USHORT;
        if (raster.getNumBands() != 1 || !isWhole) {
            throw new BadInputException(name + ": has " + raster.getNumBands() + " channels of "
                    + raster.getSampleModel().getSampleSize(0)
                    + " bits; a label map has one of 8 or 16 bits, whose values are the classes");
        }
        if (raster.getWidth() != header.width() || raster.getHeight() != header.height()) {
            throw new BadInputException(name + ": header and pixels differ in size");
        }
        int[] values = raster.getPixels(
                raster.getMinX(), raster.getMinY(), raster.getWidth(), raster.getHeight(), (int[]) null);
        return new LabelMap(raster.getWidth(), raster.getHeight(), values);
    }
}
