package dev.diva.world.scene;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * What is said of a scene. One grammar serves all captions; they differ only in the fine attributes that they name:
 *
 * <pre>
 * caption = ["a photo of"] thing [(relation | "and") thing] background
 * thing   = [article | count] value-before* noun value-after*
 * </pre>
 */
public final class Captions {
    /** Words of the question that MMVP-VLM asks, put before a caption. */
    public static final String PROMPT = "a photo of ";

    private Captions() {}

    /** Background and kinds only: "a cup and a cat by the sea". */
    public static String gist(Scene scene) {
        return caption(scene, facet -> false);
    }

    /** Every fine attribute: {@link CaptionParser} gives the scene back. */
    public static String full(Scene scene) {
        return caption(scene, facet -> true);
    }

    /** The gist and one fine attribute: a statement of a pair. */
    public static String statement(Scene scene, Facet named) {
        return caption(scene, named::equals);
    }

    /**
     * A caption as the web has them: always the gist, each fine attribute only with the given probability, which is what leaves a
     * CLIP blind to them. Every second one begins with {@link #PROMPT}, so that the question of MMVP-VLM is nothing new.
     */
    public static String web(Scene scene, double probability, RandomGenerator random) {
        List<Facet> named = scene.facets().stream()
                .filter(facet -> random.nextDouble() < probability)
                .toList();
        return (random.nextBoolean() ? PROMPT : "") + caption(scene, named::contains);
    }

    /** A caption that names the chosen fine attributes. */
    public static String caption(Scene scene, Predicate<Facet> named) {
        StringBuilder text = new StringBuilder(phrase(scene, 0, named));
        if (scene.things().size() == 2) {
            Facet relation = new Facet(0, Attribute.RELATION);
            text.append(' ')
                    .append(named.test(relation) ? Attribute.RELATION.phrases().get(scene.value(relation)) : "and")
                    .append(' ')
                    .append(phrase(scene, 1, named));
        }
        return text.append(' ').append(scene.background().phrase()).toString();
    }

    /** Every word that a caption can hold, sorted: for a tokeniser of the world's own. */
    public static List<String> vocabulary() {
        TreeSet<String> words = new TreeSet<>(List.of("a", "an", "and", "of", "photo"));
        for (Background background : Background.values()) {
            words.addAll(List.of(background.phrase().split(" ")));
        }
        for (Kind kind : Kind.values()) {
            words.add(kind.noun());
        }
        for (Attribute attribute : Attribute.values()) {
            attribute.phrases().forEach(phrase -> words.addAll(List.of(phrase.split(" "))));
        }
        return List.copyOf(words);
    }

    private static String phrase(Scene scene, int index, Predicate<Facet> named) {
        Thing thing = scene.things().get(index);
        List<String> words = new ArrayList<>();
        words.add(thing.kind().noun());
        int nouns = 1;
        String count = "";
        int before = 0;
        for (Attribute attribute : thing.kind().attributes()) {
            if (!named.test(new Facet(index, attribute))) {
                continue;
            }
            String phrase = attribute.phrases().get(thing.value(attribute));
            switch (attribute.slot()) {
                case COUNT -> count = phrase;
                case BEFORE -> words.add(before++, phrase);
                case AFTER -> words.add(before + nouns++, phrase);
                case BETWEEN -> throw new IllegalStateException(attribute + " is of two things");
            }
        }
        if (!thing.kind().isGroup()) {
            words.add(0, article(words.get(0)));
        } else if (!count.isEmpty()) {
            words.add(0, count);
        }
        return String.join(" ", words);
    }

    /** "an" before a vowel's letter; "upright" too, and no word of the world begins with a sounded "u" that is spelled so. */
    static String article(String next) {
        return "aeiou".indexOf(next.charAt(0)) >= 0 ? "an" : "a";
    }
}
