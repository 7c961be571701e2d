package dev.diva.model;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.Weights;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class TextTransformerTest {
    @Test
    @Tag("golden")
    void stableDiffusion21EncoderEqualsDiffusers() {
        Golden golden = Golden.of("text-encoder");
        Path folder = Golden.path("sd21/text_encoder");
        TextTransformer.Config config = TextTransformer.Config.clip(ConfigJson.read(folder.resolve("config.json")));
        SafetensorsFile file = SafetensorsFile.open(folder.resolve("model.safetensors"));
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Weights.frozen(file, Golden.placement())) {
            TextTransformer encoder = new TextTransformer(weights.at("text_model"), config);
            weights.finish();
            for (String text : new String[] {"sd21.empty", "sd21.words"}) {
                Close.assertClose(
                        encoder.forward(golden.expected(text + ".input_ids")),
                        golden.expected(text + ".last_hidden_state"),
                        0,
                        golden.json("case.json").required("tolerance_abs_fp32").asDouble());
            }
        }
    }
}
