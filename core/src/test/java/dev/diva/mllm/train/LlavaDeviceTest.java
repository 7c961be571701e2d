package dev.diva.mllm.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.AdapterDropout;
import dev.diva.checkpoint.LowRank;
import dev.diva.data.RasterImage;
import dev.diva.engine.Activations;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.language.Generation;
import dev.diva.language.NextTokens;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.ImageTokens;
import dev.diva.mllm.Llava;
import dev.diva.mllm.PromptTemplate;
import dev.diva.mllm.TrainableLlava;
import dev.diva.testing.Golden;
import dev.diva.testing.MetaDevice;
import dev.diva.testing.Rasters;
import dev.diva.train.AdamW;
import dev.diva.train.Contribution;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** A step of LLaVA with model, gradients and optimiser on another device than the processor, its batch as it comes from files. */
class LlavaDeviceTest {
    private static final int TEXT = 5;

    @Test
    void theProjectorsStepStaysWhereTheModelIs() {
        step(TrainableLlava.Learning.PROJECTOR, null, MetaDevice.placement(Precision.FP32, Activations.KEPT));
    }

    @Test
    void theAdaptersStepStaysWhereTheModelIs() {
        AdapterDropout dropout = new AdapterDropout(0.1);
        LowRank.Plan plan = new LowRank.Plan(
                2,
                2,
                TrainableLlava.layersNamed(List.of("q_proj", "down_proj")),
                new RandomStreams(1).stream("lora"),
                false,
                dropout);
        step(
                new TrainableLlava.Learning(false, plan),
                dropout,
                MetaDevice.placement(Precision.BF16, Activations.RECOMPUTED));
    }

    /** Token by token; of no values each is the first of the vocabulary. */
    @Test
    void answersAreMadeWhereTheModelIs() {
        RasterImage picture =
                Rasters.of(Golden.resource("san-train").input("images_u8")).get(0);
        Llava.Options options = Llava.Options.DEFAULT.withDevice("meta");
        try (Llava llava = Llava.load(Golden.model("llava-hf").resolve("mha"), options);
                ImageTokens image = llava.image(picture, ImageAspect.PAD)) {
            String prompt = PromptTemplate.VICUNA_V1.ask("Is there a dog?", true);
            assertThat(llava.answer(prompt, image, Generation.greedy(3)).tokens())
                    .isEqualTo(List.of(0L, 0L, 0L));
        }
    }

    private static void step(TrainableLlava.Learning learning, AdapterDropout dropout, Placement placement) {
        Path model = Golden.model("llava-original");
        TrainableLlava.Start start = new TrainableLlava.Start(
                model.resolve("released"), null, model.resolve("clip").toString(), null, TrainableLlava.FRESH, 0);
        try (PointerScope scope = new PointerScope();
                TrainableLlava llava = TrainableLlava.load(start, placement, learning);
                AdamW optimizer = new AdamW(0.9, 0.999, 1e-8, 0.1)) {
            double[] losses = new AnswerObjective(llava, dropout, false)
                    .backward(batch(llava), new RandomStreams(1), Contribution.of(2, 1))
                    .values();
            assertThat(losses[0]).isZero(); // of no values
            MetaDevice.requireGradients(llava.parameters());
            optimizer.update(llava.parameters(), name -> 0.1, 0.5);
            assertThat(optimizer.state().values()).anyMatch(Tensor::is_meta);
        }
    }

    /** One row with an image, and a longer one without. */
    private static ConversationBatch batch(TrainableLlava llava) {
        int places = TEXT + llava.imageTokens();
        int side = Math.toIntExact(llava.tower().tower().config().imageSize());
        Tensor pixels = Tensors.of(new float[3 * side * side], 1, 3, side, side);
        Sequence seen =
                new Sequence(new long[] {1, 2}, llava.imageTokens(), new long[] {3, 4, 5}, labels(places), false);
        Sequence text = new Sequence(new long[places + 1], 0, new long[0], labels(places + 1), false);
        return new ConversationBatch(
                List.of("a", "b"), List.of(seen, text), pixels, seen.labelled() + text.labelled(), 0, 0);
    }

    /** The last one is learnt. */
    private static long[] labels(int places) {
        long[] labels = new long[places];
        Arrays.fill(labels, NextTokens.NONE);
        labels[places - 1] = 7;
        return labels;
    }
}
