package dev.diva.mllm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.RasterImage;
import dev.diva.engine.Tensors;
import dev.diva.language.Generation;
import dev.diva.language.KeyValueCache;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against transformers 4.46.3 (llava-hf) and LLaVA's own code (llava-original) on random weights, fp32. */
@Tag("golden")
@ExtendWith(OneThread.class)
class LlavaTest {
    private static final Golden HF = Golden.of("llava-hf");

    @ParameterizedTest
    @ValueSource(strings = {"mha", "gqa"})
    void hubLayoutGivesTheReferencesNumbers(String model) {
        double tolerance = HF.json("case.json").path("tolerance_abs_fp32").asDouble();
        JsonNode prompts = HF.json("tokens.json").path("rendered");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Llava llava = Llava.load(HF.file(model), Llava.Options.DEFAULT)) {
            Tensor pixels = HF.input("pixel_values");
            Close.assertClose(llava.tower().forward(pixels), HF.expected(model + ".selected"), 0, tolerance);
            for (int image = 0; image < pixels.size(0); image++) {
                try (ImageTokens tokens = llava.image(picture(HF.file("images/" + image + ".png")), ImageAspect.CROP)) {
                    Close.assertClose(
                            tokens.tensor().squeeze(0),
                            HF.expected(model + ".projected").select(0, image),
                            0,
                            tolerance);
                    for (int p = 0; p < prompts.size(); p++) {
                        String run = model + ".run." + p + "." + image;
                        Prompt prompt = llava.tokenized(prompts.get(p).asText());
                        assertThat(prompt.expanded(llava.config().imageTokenId(), tokens.count()))
                                .containsExactly(Tensors.toLongs(HF.input(run + ".input_ids")));
                        requireRun(HF, run, llava, prompt, tokens, tolerance);
                        if (p == image) { // decoding is the same work each time: one prompt an image
                            requireGreedy(
                                    HF,
                                    run + ".greedy_cache",
                                    llava,
                                    prompts.get(p).asText(),
                                    tokens);
                        }
                    }
                }
            }
        }
    }

    @Test
    void everyHiddenStateOfTheTowerIsTheReferences() {
        double tolerance = HF.json("case.json").path("tolerance_abs_fp32").asDouble();
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Llava llava = Llava.load(HF.file("mha"), Llava.Options.DEFAULT)) {
            List<Tensor> states = llava.tower().tower().hiddenStates(HF.input("pixel_values"));
            for (int i = 0; i < states.size(); i++) {
                Close.assertClose(states.get(i), HF.expected("mha.vision.hidden." + i), 0, tolerance);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "released, , released",
        "self-trained, checkpoint, self-trained-own-tower",
        "self-trained, config, released"
    })
    void authorsLayoutGivesTheReferencesNumbers(String folder, String tower, String expected) {
        Golden golden = Golden.of("llava-original");
        double tolerance = golden.json("case.json").path("tolerance_abs_fp32").asDouble();
        JsonNode prompts = golden.json("prompts.json").path("prompts");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Llava llava = Llava.load(golden.file(folder), Llava.Options.DEFAULT.withTower(tower))) {
            Tensor pixels = golden.input("pixel_values");
            Close.assertClose(llava.tower().forward(pixels), golden.expected(expected + ".selected"), 0, tolerance);
            List<Path> files = List.of(HF.file("images/0.png"), HF.file("images/1.png"), golden.file("square.png"));
            for (int image = 0; image < files.size(); image++) {
                try (ImageTokens tokens = llava.image(picture(files.get(image)), ImageAspect.PAD)) {
                    Close.assertClose(
                            tokens.tensor().squeeze(0),
                            golden.expected(expected + ".projected").select(0, image),
                            0,
                            tolerance);
                    for (int p = 0; p < prompts.size(); p++) {
                        String run = expected + ".run." + p + "." + image;
                        Prompt prompt = llava.tokenized(prompts.get(p).asText());
                        assertThat(prompt.ids())
                                .containsExactly(Tensors.toLongs(golden.input("run." + p + ".input_ids")));
                        if (golden.expected().info(run + ".greedy") == null) {
                            continue; // of the square image the case has features alone
                        }
                        requireRun(golden, run, llava, prompt, tokens, tolerance);
                        if (p == image) {
                            requireGreedy(
                                    golden,
                                    run + ".greedy",
                                    llava,
                                    prompts.get(p).asText(),
                                    tokens);
                        }
                    }
                }
            }
        }
    }

    /** What LLaVA's code does of itself: its numbers for this folder are those of the tower that the config names. */
    @Test
    void towerOfTheConfigGivesTheReferencesFeatures() {
        Golden golden = Golden.of("llava-original");
        double tolerance = golden.json("case.json").path("tolerance_abs_fp32").asDouble();
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Llava llava = Llava.load(golden.file("self-trained"), Llava.Options.DEFAULT.withTower("config"))) {
            Close.assertClose(
                    llava.projector().forward(llava.tower().forward(golden.input("pixel_values"))),
                    golden.expected("released.projected"),
                    0,
                    tolerance);
        }
    }

    @Test
    void textOfGreedyTokensIsTheReferences() {
        JsonNode texts = HF.json("tokens.json").path("decoded greedy tokens (skip_special_tokens)");
        for (String model : List.of("mha", "gqa")) {
            try (PointerScope scope = new PointerScope();
                    Llava llava = Llava.load(HF.file(model), Llava.Options.DEFAULT)) {
                texts.properties().stream()
                        .filter(e -> e.getKey().startsWith(model))
                        .forEach(e -> assertThat(llava.tokenizer()
                                        .decode(Tensors.toLongs(HF.expected(e.getKey() + ".greedy_cache"))))
                                .isEqualTo(e.getValue().asText()));
            }
        }
    }

    /** An answer does not depend on what was asked before, and the text that is told piece by piece is the whole. */
    @Test
    void prefixIsComputedOnceAndChangesNothing() {
        JsonNode prompts = HF.json("tokens.json").path("rendered");
        try (PointerScope scope = new PointerScope();
                Llava llava = Llava.load(HF.file("gqa"), Llava.Options.DEFAULT);
                ImageTokens first = llava.image(picture(HF.file("images/0.png")), ImageAspect.CROP);
                ImageTokens second = llava.image(picture(HF.file("images/1.png")), ImageAspect.CROP)) {
            List<Answer> alone = new ArrayList<>();
            List<Answer> inTurn = new ArrayList<>();
            for (JsonNode prompt : prompts) {
                llava.answer(prompt.asText(), second, Generation.greedy(1));
                alone.add(llava.answer(prompt.asText(), first, Generation.greedy(24)));
            }
            for (JsonNode prompt : prompts) {
                StringBuilder told = new StringBuilder();
                inTurn.add(llava.answer(prompt.asText(), first, Generation.greedy(24), told::append));
                assertThat(told.toString())
                        .isEqualTo(inTurn.get(inTurn.size() - 1).text());
            }
            assertThat(inTurn).isEqualTo(alone);
        }
    }

    private static void requireRun(
            Golden golden, String run, Llava llava, Prompt prompt, ImageTokens image, double tolerance) {
        try (PointerScope scope = new PointerScope()) {
            Tensor merged = llava.merged(prompt, image);
            if (golden.expected().info(run + ".embeds") != null) {
                Close.assertClose(merged.squeeze(0), golden.expected(run + ".embeds"), 0, tolerance);
            }
            Tensor logits = llava.language()
                    .logits(llava.language().forward(merged, null))
                    .squeeze(0);
            Tensor last = logits.select(0, logits.size(0) - 1);
            if (golden.expected().info(run + ".logits") != null) {
                Close.assertClose(logits, golden.expected(run + ".logits"), 0, tolerance);
            } else {
                Close.assertClose(last, golden.expected(run + ".logits_last"), 0, tolerance);
            }
            try (KeyValueCache cache = new KeyValueCache(
                    llava.language().config(), llava.language().placement())) {
                long half = merged.size(1) / 2;
                Tensor before = llava.language().forward(merged.narrow(1, 0, half), cache);
                Tensor after = llava.language().forward(merged.narrow(1, half, merged.size(1) - half), cache);
                Close.assertClose(llava.language().logits(before).squeeze(0), logits.narrow(0, 0, half), 0, tolerance);
                Close.assertClose(
                        llava.language().logits(after).squeeze(0),
                        logits.narrow(0, half, logits.size(0) - half),
                        0,
                        tolerance);
            }
        }
    }

    private static void requireGreedy(Golden golden, String name, Llava llava, String prompt, ImageTokens image) {
        long[] expected = Tensors.toLongs(golden.expected(name));
        Answer answer = llava.answer(prompt, image, Generation.greedy(24));
        assertThat(answer.tokens().stream().mapToLong(Long::longValue).toArray())
                .as(name)
                .containsExactly(expected);
    }

    private static RasterImage picture(Path file) {
        return ImageDecoder.reference().decode(ImageEntry.of(file).read(), file.toString());
    }
}
