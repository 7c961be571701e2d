package dev.diva.world;

import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Facet;
import dev.diva.world.scene.Scene;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A question on a fine attribute of a scene, with two options, as MMVP asks.
 *
 * @param question what is asked
 * @param options as MMVP writes them: {@code (a) open (b) closed}
 * @param right whether (a) is right
 */
public record SceneQuestion(String question, String options, boolean right) {
    /** What is asked for a caption. */
    public static final String CAPTION = "What is in the picture?";

    /** Of a fine attribute with its value and another one, the smaller one first. */
    public static SceneQuestion of(Scene scene, Facet facet, int other) {
        List<String> phrases = facet.attribute().phrases();
        int value = scene.value(facet);
        String first = phrases.get(Math.min(value, other));
        String second = phrases.get(Math.max(value, other));
        String noun = scene.things().get(facet.thing()).kind().noun();
        String question = facet.attribute() == Attribute.RELATION
                ? "How does the " + noun + " stand to the "
                        + scene.things().get(1).kind().noun() + "?"
                : "What is true of the " + noun + "?";
        return new SceneQuestion(question, "(a) " + first + " (b) " + second, value < other);
    }

    /** Of a fine attribute and any other value that it may have. */
    public static SceneQuestion of(Scene scene, Facet facet, RandomGenerator random) {
        int value = scene.value(facet);
        int size = facet.attribute().size();
        return of(scene, facet, (value + 1 + random.nextInt(size - 1)) % size);
    }

    /** Question and options in one line. */
    public String asked() {
        return question + " " + options;
    }

    /** The letter of the right option. */
    public String answer() {
        return right ? "a" : "b";
    }
}
