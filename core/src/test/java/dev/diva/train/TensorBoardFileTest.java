package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardFileTest {
    @Test
    void maskedCrcIsThatOfTfRecords() {
        // CRC-32C of 32 zero bytes is 8a9136aa (RFC 3720); rotated right by 15, plus a282ead8
        int expected = Integer.rotateRight(0x8a9136aa, 15) + 0xa282ead8;
        assertThat(TensorBoardFile.maskedCrc(new byte[32], 32)).isEqualTo(expected);
    }

    @Test
    void recordsCarryTheirSumsAndTheEventsTheirValues(@TempDir Path folder) throws IOException {
        try (TensorBoardFile file = new TensorBoardFile(folder, 7)) {
            file.stepDone(new StepRecord(7, List.of(0.5, 1.5), Map.of("guard", 0.75), 2.0, 0.25, 2.0, 4));
        }
        Path file;
        try (var files = Files.list(folder)) {
            file = files.findFirst().orElseThrow();
        }
        assertThat(file.getFileName().toString()).startsWith("events.out.tfevents.");
        List<byte[]> events = events(Files.readAllBytes(file));
        assertThat(events).hasSize(3);
        assertThat(new String(events.get(0), StandardCharsets.ISO_8859_1)).contains("brain.Event:2");
        assertThat(new String(events.get(2), StandardCharsets.ISO_8859_1))
                .contains("loss\u0015" + floatBytes(1.0f))
                .contains("gradNorm\u0015" + floatBytes(2.0f))
                .contains("lr\u0015" + floatBytes(0.25f))
                .contains("guard\u0015" + floatBytes(0.75f))
                .contains("imagesPerSecond\u0015" + floatBytes(2.0f));
    }

    private static String floatBytes(float value) {
        byte[] bytes = ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array();
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static List<byte[]> events(byte[] file) {
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        List<byte[]> events = new ArrayList<>();
        while (in.hasRemaining()) {
            byte[] length = new byte[8];
            in.get(length);
            assertThat(in.getInt()).isEqualTo(TensorBoardFile.maskedCrc(length, 8));
            byte[] data = new byte
                    [(int) ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong()];
            in.get(data);
            assertThat(in.getInt()).isEqualTo(TensorBoardFile.maskedCrc(data, data.length));
            events.add(data);
        }
        return events;
    }
}
