package dev.diva.world;

import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Facet;
import dev.diva.world.scene.Kind;
import dev.diva.world.scene.Scene;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A question that a linear probe is asked of an image: which value a fine attribute of a kind has. The relation of two things is
 * asked of every scene that has one, whatever their kinds.
 */
public record ProbeQuestion(Optional<Kind> kind, Attribute attribute) {
    /** Every question, in the order of kinds, the relation last. */
    public static List<ProbeQuestion> all() {
        List<ProbeQuestion> questions = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            for (Attribute attribute : kind.attributes()) {
                questions.add(new ProbeQuestion(Optional.of(kind), attribute));
            }
        }
        questions.add(new ProbeQuestion(Optional.empty(), Attribute.RELATION));
        return questions;
    }

    /** The column of tables of labels: "cup.handle". */
    public String column() {
        String prefix =
                kind.map(value -> value.name().toLowerCase(Locale.ROOT) + ".").orElse("");
        return prefix + attribute.label();
    }

    /** Index of the right answer; empty if the scene does not hold such a thing. */
    public OptionalInt answer(Scene scene) {
        for (Facet facet : scene.facets()) {
            boolean asked = kind.isEmpty()
                    || kind.get() == scene.things().get(facet.thing()).kind();
            if (asked && facet.attribute() == attribute) {
                return OptionalInt.of(scene.value(facet));
            }
        }
        return OptionalInt.empty();
    }
}
