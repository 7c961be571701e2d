package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A SigLIP of open_clip as transformers' SiglipTokenizer reads it: by a spiece.model, which open_clip's folders have not. */
class SiglipTokenizerFilesTest {
    @TempDir
    private Path temporary;

    @Tag("golden")
    @Test
    void thePiecesGiveTheIdsOfOpenClip() throws IOException {
        Golden golden = Golden.of("siglip-open_clip");
        Path out = temporary.resolve("hf");
        List<String> texts = new ArrayList<>(List.of("two dogs, One red.", "  A cat's   eye ", "3.5 km", ""));
        golden.json("strings.json").forEach(text -> texts.add(text.asText()));
        try (ClipCheckpoint original = ClipCheckpoint.open(golden.file("open_clip_model.safetensors"))) {
            ClipExport.export(original, CheckpointFormat.HF, out, false);
        }
        JsonNode config =
                new ObjectMapper().readTree(out.resolve("tokenizer_config.json").toFile());
        assertThat(config.path("tokenizer_class").asText()).isEqualTo("SiglipTokenizer");
        assertThat(config.at("/model_input_names/0").asText()).isEqualTo("input_ids");
        Files.delete(out.resolve("tokenizer.json")); // so that the pieces are read
        try (Clip original = Clip.load(golden.file("open_clip_model.safetensors"));
                Clip exported = Clip.load(out)) {
            for (String text : texts) {
                assertThat(exported.tokenizer().encode(text))
                        .as(text)
                        .isEqualTo(original.tokenizer().encode(text));
            }
        }
    }

    /** Without them transformers would hide the padding, which SigLIP 2 was trained to see too. */
    @Test
    void ofAnotherTokenizerTheInputsAloneAreNamed(@TempDir Path other) throws IOException {
        Files.writeString(other.resolve("tokenizer.json"), "{\"model\": {\"type\": \"BPE\"}}");
        Path config = other.resolve("tokenizer_config.json");
        Files.writeString(config, "{\"tokenizer_class\": \"GemmaTokenizerFast\"}");
        SiglipTokenizerFiles.complete(other, true, 64);
        String written = Files.readString(config);
        assertThat(ConfigJson.read(config).texts("model_input_names", List.of()))
                .containsExactly("input_ids");
        assertThat(ConfigJson.read(config).text("tokenizer_class", "")).isEqualTo("GemmaTokenizerFast");
        SiglipTokenizerFiles.complete(other, true, 64);
        assertThat(config).hasContent(written);
        assertThat(other.resolve("spiece.model")).doesNotExist();
    }
}
