package dev.diva.bench.mllm;

import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.engine.Precision;
import dev.diva.language.Generation;
import dev.diva.language.KeyValueCache;
import dev.diva.language.Llama;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.ImageTokens;
import dev.diva.mllm.Llava;
import dev.diva.mllm.PromptTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * 18 questions an image, prefill of 600 tokens, decoding: {@code MODEL fp32|bf16 THREADS IMAGES REPEATS TOKENS ANSWERS_FILE}. Prints one line
 * of JSON, writes the ids of each answer.
 */
public final class MllmBench {
    private static final int QUESTIONS = 18;
    private static final int PREFILL = 600;
    private static final int STEPS = 8;

    private MllmBench() {}

    public static void main(String[] args) throws IOException {
        Precision precision = Precision.valueOf(args[1].toUpperCase(Locale.ROOT));
        int images = Integer.parseInt(args[3]);
        int repeats = Integer.parseInt(args[4]);
        Generation generation = Generation.greedy(Integer.parseInt(args[5]));
        Llava.Options options = new Llava.Options(precision, Integer.parseInt(args[2]), null, null, null);
        try (Llava llava = Llava.load(Path.of(args[0]), options)) {
            int side = (int) llava.tower().tower().config().imageSize();
            try (ImageTokens image = llava.image(picture(0, side), ImageAspect.PAD)) {
                llava.answer(prompt("dog"), image, generation);
            }
            List<String> answers = new ArrayList<>();
            long start = System.nanoTime();
            for (int i = 0; i < images; i++) {
                try (ImageTokens image = llava.image(picture(i, side), ImageAspect.PAD)) {
                    for (int q = 0; q < QUESTIONS; q++) {
                        answers.add(llava.answer(prompt("thing " + q), image, generation).tokens().stream()
                                .map(String::valueOf)
                                .collect(Collectors.joining(" ")));
                    }
                }
            }
            double question = (System.nanoTime() - start) / 1e9 / (QUESTIONS * images);
            Files.write(Path.of(args[6]), answers);
            double[] language = language(llava.language(), repeats);
            System.out.printf(
                    Locale.ROOT,
                    "{\"who\": \"diva\", \"precision\": \"%s\", \"secondsPerQuestion\": %.5f, \"prefillSeconds\": %.5f,"
                            + " \"tokenSeconds\": %.5f}%n",
                    args[1],
                    question,
                    language[0],
                    language[1]);
        }
    }

    /** Seconds of a prefill with the logits of its last token, and of one token more. */
    private static double[] language(Llama llama, int repeats) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                KeyValueCache cache = new KeyValueCache(llama.config(), llama.placement())) {
            Tensor states = torch.randn(1, PREFILL, llama.config().hiddenSize())
                    .to(llama.placement().precision().dtype());
            Tensor one = states.narrow(1, 0, 1);
            Runnable prefill = () -> {
                cache.rewind(0);
                step(llama, cache, states);
            };
            Runnable tokens = () -> {
                for (int i = 0; i < STEPS; i++) {
                    cache.rewind(PREFILL);
                    step(llama, cache, one);
                }
            };
            prefill.run();
            double first = median(prefill, repeats);
            tokens.run();
            return new double[] {first, median(tokens, repeats) / STEPS};
        }
    }

    private static void step(Llama llama, KeyValueCache cache, Tensor states) {
        try (PointerScope scope = new PointerScope()) {
            Tensor out = llama.forward(states, cache);
            llama.logits(out.narrow(1, out.size(1) - 1, 1));
        }
    }

    private static double median(Runnable work, int repeats) {
        double[] seconds = new double[repeats];
        for (int i = 0; i < repeats; i++) {
            long start = System.nanoTime();
            work.run();
            seconds[i] = (System.nanoTime() - start) / 1e9;
        }
        Arrays.sort(seconds);
        return seconds[repeats / 2];
    }

    private static String prompt(String thing) {
        return PromptTemplate.VICUNA_V1.ask(
                "Is there a " + thing + " in the image?\nAnswer the question using a single word or phrase.", true);
    }

    /** Square, so that padding and cropping are the same. */
    private static RasterImage picture(int index, int side) {
        byte[] samples = new byte[side * side * 3];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = (byte) ((long) i * 977 * (index + 1) / 64 % 256);
        }
        return RasterImage.of(ColorMode.RGB, side, side, samples);
    }
}
