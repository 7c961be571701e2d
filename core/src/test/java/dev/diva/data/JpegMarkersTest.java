package dev.diva.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.testing.Golden;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The colour space of a JPEG is what libjpeg makes of its markers, whatever the JDK would make of them. */
@Tag("golden")
class JpegMarkersTest {
    private static final Golden GOLDEN = Golden.of("jpeg-markers");
    private static final int JFIF_LENGTH = 18;

    /** Markers of the file in place of its JFIF marker, and the pixels that are expected. */
    @ParameterizedTest
    @CsvSource({
        "444,JFIF,444",
        "444,NONE,444",
        "444,ADOBE 1,444",
        "444,ADOBE 2,444",
        "444,JFIF ADOBE 0,444",
        "444,JFIF PROFILE,444",
        "444,ADOBE 0,444-adobe0",
        "420,JFIF,420",
        "420,NONE,420",
        "420,ADOBE 1,420",
        "420,ADOBE 2,420",
        "420,JFIF ADOBE 0,420",
        "420,PROFILE,420",
        "420,ADOBE 0,420-adobe0"
    })
    void pixelsAreThoseOfTheReferenceWhateverTheMarkers(String file, String markers, String expected)
            throws IOException {
        byte[] pixels = decode(Files.readAllBytes(GOLDEN.file(expected + ".png")));
        byte[] jpeg = Files.readAllBytes(GOLDEN.file(file + ".jpg"));
        assertThat(decode(withMarkers(jpeg, List.of(markers.split(" "))))).isEqualTo(pixels);
    }

    private static byte[] decode(byte[] file) {
        return ImageDecoder.reference().decode(file, "test").samples();
    }

    private static byte[] withMarkers(byte[] jpeg, List<String> markers) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(jpeg, 0, 2);
        if (markers.contains("JFIF")) {
            out.write(jpeg, 2, JFIF_LENGTH);
        }
        if (markers.contains("ADOBE")) {
            byte transform = Byte.parseByte(markers.get(markers.size() - 1));
            writeSegment(out, 0xee, "Adobe\0\144\0\0\0\0", new byte[] {transform});
        }
        if (markers.contains("PROFILE")) {
            byte[] linear = ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData();
            writeSegment(out, 0xe2, "ICC_PROFILE\0\1\1", linear);
        }
        out.write(jpeg, 2 + JFIF_LENGTH, jpeg.length - 2 - JFIF_LENGTH);
        return out.toByteArray();
    }

    private static void writeSegment(ByteArrayOutputStream out, int marker, String head, byte[] body)
            throws IOException {
        int length = 2 + head.length() + body.length;
        out.write(new byte[] {(byte) 0xff, (byte) marker, (byte) (length >> 8), (byte) length});
        out.write(head.getBytes(StandardCharsets.ISO_8859_1));
        out.write(body);
    }
}
