package dev.diva.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    @Test
    void writingWhatWasReadGivesTheSameBytes(@TempDir Path folder) throws IOException {
        Path original = Golden.model("clip-hf-vit").resolve("model.safetensors");
        Path copy = folder.resolve("copy.safetensors");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(original)) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            file.tensors().forEach(info -> tensors.put(info.name(), file.read(info.name())));
            SafetensorsWriter.write(copy, tensors, file.metadata());
        }
        assertThat(Files.mismatch(original, copy)).isEqualTo(-1);
    }

    /** Behind a single byte numbers lie where no number of theirs may begin; what is looked at once is the same, there too. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void whatIsLookedAtOnceIsWhatIsRead(int bytesBefore, @TempDir Path folder) throws IOException {
        String header = "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[" + bytesBefore + ","
                + (bytesBefore + 16) + "]},\"a\":{\"dtype\":\"U8\",\"shape\":[" + bytesBefore
                + "],\"data_offsets\":[0," + bytesBefore + "]}}";
        ByteBuffer bytes =
                ByteBuffer.allocate(8 + header.length() + bytesBefore + 16).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length())
                .put(header.getBytes(StandardCharsets.UTF_8))
                .put(new byte[bytesBefore]);
        bytes.putFloat(1).putFloat(-2.5f).putFloat(3).putFloat(4);
        Path path = folder.resolve("x.safetensors");
        Files.write(path, bytes.array());
        Tensor kept;
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(path)) {
            Tensor once = file.readOnce("x");
            assertThat(once.shape()).containsExactly(2, 2);
            assertThat(Tensors.toFloats(once)).containsExactly(1, -2.5f, 3, 4);
            once.zero_(); // the file is not written to
            assertThat(Tensors.toFloats(file.read("x"))).containsExactly(1, -2.5f, 3, 4);
            assertThat(file.readOnce("a").numel()).isEqualTo(bytesBefore);
            kept = Scopes.keep(file.readOnce("x"));
        }
        assertThat(Tensors.toFloats(kept))
                .as("it goes with the tensor, not with the file")
                .containsExactly(1, -2.5f, 3, 4);
        Scopes.release(kept);
    }
}
