package dev.diva.demo;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A recipe that is compared with others.
 *
 * @param changes over the demo's own recipe, {@code key=value}
 */
record Variant(String name, List<String> changes) {
    /** The demo's own recipe. */
    static final Variant ANCHORED = new Variant("anchored", List.of());

    /** The control: every image is judged by the latent of another one. */
    static final Variant WRONG_IMAGES = ANCHORED.with("wrong images", "latents=shuffled");

    /** The paper's condition and noise levels, its projection learned from nothing, nothing that holds the tower. */
    static final Variant PUBLISHED = new Variant(
            "published recap",
            List.of(
                    "recap.tokens=random",
                    "recap.fraction=0.5",
                    "projection.init=random",
                    "projection.frozen=false",
                    "timesteps.min=0",
                    "timesteps.weight=none",
                    "guard.weight=0.0",
                    "guard.textsWeight=0.0"));

    /** The same with further changes. */
    Variant with(String otherName, String... more) {
        return new Variant(
                otherName,
                Stream.concat(changes.stream(), List.of(more).stream()).toList());
    }

    /** Its run in a folder of runs. */
    Path in(Path runs) {
        return runs.resolve(name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-"));
    }
}
