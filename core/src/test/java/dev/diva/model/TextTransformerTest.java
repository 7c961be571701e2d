package dev.diva.model;

import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.junit.jupiter.api.Test;

class TextTransformerTest {
    @Test
    void stableDiffusion21EncoderEqualsDiffusers() {
        Golden golden = Golden.of("text-encoder");
        TransformerConfig layers = new TransformerConfig(32, 64, 2, 2, Activation.GELU, 1e-5);
        SafetensorsFile file =
                SafetensorsFile.open(Golden.path("sd21").resolve("text_encoder").resolve("model.safetensors"));
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Weights.frozen(file, Placement.cpu(Precision.FP32))) {
            TextTransformer encoder =
                    new TextTransformer(weights.at("text_model"), new TextTransformer.Config(layers, 1514, 77, true));
            weights.finish();
            for (String text : new String[] {"sd21.empty", "sd21.words"}) {
                Close.assertClose(
                        encoder.forward(golden.expected(text + ".input_ids")),
                        golden.expected(text + ".last_hidden_state"),
                        0,
                        5e-5);
            }
        }
    }
}
