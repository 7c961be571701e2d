package dev.diva.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
}
