package dev.diva.data;

import dev.diva.BadInputException;
import java.io.IOException;

/**
 * JPEG through a libjpeg-turbo that comes along, so that pixels are the same on every JDK: exact integer transform, smooth
 * upsampling, libjpeg's own reading of the markers. Profiles are never looked at. Damage inside the data is passed over as by
 * Pillow; a file without its end is refused.
 */
final class JpegPixels {
    private JpegPixels() {}

    static RasterImage decode(byte[] file, String name) throws IOException {
        JpegHeader header = JpegHeader.read(new ImageHeader.Bytes(file), name);
        if (!hasEnd(file, header.end())) {
            throw new BadInputException(name + ": the JPEG is truncated (no end marker)");
        }
        return switch (header.components()) {
            case 1, 3 -> LeptonicaPixels.jpeg(file);
            case 4 -> CmykJpeg.decode(file, header);
            default ->
                throw new BadInputException(
                        name + ": a JPEG of " + header.components() + " components; 1, 3 or 4 are read");
        };
    }

    /** An end marker before the frame header is that of a thumbnail. */
    private static boolean hasEnd(byte[] file, int from) {
        for (int i = file.length - 2; i >= from; i--) {
            if (file[i] == (byte) 0xff && file[i + 1] == (byte) 0xd9) {
                return true;
            }
        }
        return false;
    }
}
