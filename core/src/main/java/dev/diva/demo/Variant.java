package dev.diva.demo;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A recipe that is compared with others.
 *
 * @param preset it starts from
 * @param stage1 what is trained before it, once a CLIP; null where the method has one stage
 * @param changes over the preset and what the world asks for ({@link DemoRecipe}), {@code key=value}
 */
record Variant(String name, String preset, Variant stage1, List<String> changes) {
    /** The demo's own recipe. */
    static final Variant ANCHORED = new Variant("anchored", "anchored", null, List.of());

    /** The control: every image is judged by the latent of another one. */
    static final Variant WRONG_IMAGES = ANCHORED.with("wrong images", "latents=shuffled");

    /** The paper's condition and noise levels, its projection learned from nothing, nothing that holds the tower. */
    static final Variant PUBLISHED = new Variant(
            "published recap",
            "anchored",
            null,
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
                preset,
                stage1,
                Stream.concat(changes.stream(), List.of(more).stream()).toList());
    }

    /** Its run in a folder of runs. */
    Path in(Path runs) {
        return runs.resolve(name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-"));
    }
}
