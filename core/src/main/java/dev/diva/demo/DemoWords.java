package dev.diva.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The demo's own paragraph: what its figures show and do not show. */
final class DemoWords {
    private static final String GIST = "text_retrieval_recall@1";

    private DemoWords() {}

    /** @param scores folder with the records before and after */
    static List<String> of(Path scores) throws IOException {
        List<String> words = new ArrayList<>();
        words.add("No recipe of this world raised the pair score over three seeds (docs/study.md): read this page as a"
                + " demonstration of the method and of how it is measured, not as evidence of a gain.");
        words.add(
                "This is a world of 48 pixels: a CLIP of one million parameters that was trained on captions which name"
                        + " a fine attribute one time in twenty, and a diffusion model that was told every attribute.");
        words.add(change("Pairs that differ in one attribute", scores, "1-pairs", "average"));
        words.add(change(
                        "Pairs whose two images are in order, whatever both statements prefer",
                        scores,
                        "1-pairs",
                        "in order")
                + String.format(
                        Locale.ROOT,
                        " What the statements tell apart (sig) was %.2f and is %.2f, what both prefer alike (bias) was %.2f and is"
                                + " %.2f, times 100; a pair counts where the first is larger.",
                        100 * value(scores.resolve("before-1-pairs.json"), "sig"),
                        100 * value(scores.resolve("after-1-pairs.json"), "sig"),
                        100 * value(scores.resolve("before-1-pairs.json"), "bias"),
                        100 * value(scores.resolve("after-1-pairs.json"), "bias")));
        words.add(change("Finding the right caption of the gist among 400", scores, "2-gist", GIST)
                + " What it costs to gain detail shows here.");
        words.add(
                change(
                                "Linear probe of the attributes on the class token",
                                scores,
                                "3-probe",
                                "probe of the class token")
                        + " "
                        + change(
                                "On the mean of the local tokens",
                                scores,
                                "3-probe",
                                "probe of the mean of the local tokens")
                        + " A probe that rises while the pairs do not says that detail is in the tower and the text does not reach it.");
        words.add(
                "One run is one seed. diva demo --study adds seeds, other recipes, and the control with the latents of"
                        + " other images; a change that the control shows too is not diffusion feedback.");
        return words;
    }

    private static String change(String what, Path scores, String record, String metric) throws IOException {
        return String.format(
                Locale.ROOT,
                "%s: %.1f %% before, %.1f %% after.",
                what,
                100 * value(scores.resolve("before-" + record + ".json"), metric),
                100 * value(scores.resolve("after-" + record + ".json"), metric));
    }

    private static double value(Path file, String metric) throws IOException {
        JsonNode root = new ObjectMapper().readTree(file.toFile());
        return root.path("results").path(0).path("metrics").path(metric).asDouble();
    }
}
