package dev.diva.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.eval.McNemar;
import dev.diva.report.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The demo's own paragraph: what its figures show and do not show. */
final class DemoWords {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PAIRS = "1-pairs";
    private static final String GIST = "2-gist";
    private static final String PROBE = "3-probe";

    private final Places places;
    private final Map<Path, JsonNode> records = new HashMap<>(); // thousands of answers each

    private DemoWords(Places places) {
        this.places = places;
    }

    /** Sentences for the report of a demo whose runs are all scored; the first says in plain words what came out. */
    static List<String> of(Places places) {
        return new DemoWords(places).sentences();
    }

    private List<String> sentences() {
        Path own = evaluations(Variant.ANCHORED);
        McNemar test = test(Variant.ANCHORED);
        McNemar control = test(Variant.WRONG_IMAGES);
        List<String> words = new ArrayList<>();
        words.add(verdict(test, control));
        for (Variant variant : Demo.VARIANTS) {
            words.add(line(variant));
        }
        words.add(String.format(
                Locale.ROOT,
                "Why a pair score moves: what the two statements tell apart (sig) went from %.2f to %.2f, what both prefer alike (bias)"
                        + " from %.2f to %.2f, times 100; a pair counts where the first is larger.",
                100 * value(places.scores(), Demo.BEFORE, PAIRS, "sig"),
                100 * value(own, Demo.AFTER, PAIRS, "sig"),
                100 * value(places.scores(), Demo.BEFORE, PAIRS, "bias"),
                100 * value(own, Demo.AFTER, PAIRS, "bias")));
        words.add("This is a world of 48 pixels, one CLIP and one seed. diva demo --study adds seeds and other recipes;"
                + " a change that the control shows too is not diffusion feedback.");
        return words;
    }

    private static String verdict(McNemar test, McNemar control) {
        String words = test.gained() > test.lost() && test.p() < Verdict.LEVEL
                ? "The repaired CLIP sees more: "
                : test.lost() > test.gained() && test.p() < Verdict.LEVEL
                        ? "The repaired CLIP sees less: "
                        : "No change that could not be chance: ";
        return String.format(
                Locale.ROOT,
                "%sof the pairs of pictures that differ in one detail it now gets %d right that the untouched one got wrong, and %d wrong"
                        + " that were right (exact McNemar p = %.3f); trained on wrong pictures instead, %d and %d (p = %.3f).",
                words,
                test.gained(),
                test.lost(),
                test.p(),
                control.gained(),
                control.lost(),
                control.p());
    }

    private String line(Variant variant) {
        Path after = evaluations(variant);
        return variant.name() + ": " + change("pairs", after, PAIRS, "average") + ", "
                + change("in order", after, PAIRS, "in order") + ", "
                + change("gist found first among 400", after, GIST, "text_retrieval_recall@1") + ", "
                + change("probe of the class token", after, PROBE, "probe of the class token") + ".";
    }

    private String change(String what, Path after, String record, String metric) {
        return String.format(
                Locale.ROOT,
                "%s %.1f to %.1f %%",
                what,
                100 * value(places.scores(), Demo.BEFORE, record, metric),
                100 * value(after, Demo.AFTER, record, metric));
    }

    private McNemar test(Variant variant) {
        return McNemar.of(sheet(places.scores(), Demo.BEFORE), sheet(evaluations(variant), Demo.AFTER));
    }

    private Path evaluations(Variant variant) {
        return places.run(variant).resolve("evaluations");
    }

    private boolean[] sheet(Path folder, String name) {
        JsonNode questions = result(folder, name, PAIRS).path("questions");
        boolean[] sheet = new boolean[questions.size()];
        for (int i = 0; i < sheet.length; i++) {
            sheet[i] = questions.get(i).path("correct").asBoolean();
        }
        return sheet;
    }

    private double value(Path folder, String name, String record, String metric) {
        return result(folder, name, record).path("metrics").path(metric).asDouble();
    }

    private JsonNode result(Path folder, String name, String record) {
        return records.computeIfAbsent(folder.resolve(name + "-" + record + ".json"), DemoWords::read);
    }

    private static JsonNode read(Path file) {
        try {
            return JSON.readTree(file.toFile()).path("results").path(0);
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }
}
