package dev.diva.bench.texts;

import dev.diva.bench.Peak;
import dev.diva.clip.Clip;
import dev.diva.engine.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Encodes the first texts of a file, 4,096 at once as the scores do: {@code MODEL fp32|bf16 THREADS BATCH TEXTS LIMIT}. Prints one line of
 * JSON.
 */
public final class TextBench {
    private static final int AT_ONCE = 4096;

    private TextBench() {}

    public static void main(String[] args) throws IOException {
        Precision precision = Precision.valueOf(args[1].toUpperCase(Locale.ROOT));
        Clip.Options options = new Clip.Options(precision, Integer.parseInt(args[2]), Integer.parseInt(args[3]), null);
        List<String> all = Files.readAllLines(Path.of(args[4]));
        List<String> texts = all.subList(0, Math.min(all.size(), Integer.parseInt(args[5])));
        try (Clip clip = Clip.load(Path.of(args[0]), options)) {
            clip.encodeTexts(texts.subList(0, 16));
            long start = System.nanoTime();
            for (int from = 0; from < texts.size(); from += AT_ONCE) {
                clip.encodeTexts(texts.subList(from, Math.min(texts.size(), from + AT_ONCE)));
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            System.out.printf(
                    Locale.ROOT,
                    "{\"who\": \"diva\", \"precision\": \"%s\", \"texts\": %d, \"textsPerSecond\": %.2f, \"peakMiB\": %d}%n",
                    args[1],
                    texts.size(),
                    texts.size() / seconds,
                    Peak.mebibytes());
        }
    }
}
