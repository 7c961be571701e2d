package dev.diva.world.scene;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A scene: background and one or two things (a thing may be a group of up to four), which are the gist; the fine attributes of the
 * things and how the two stand to each other; and all the rest that no caption speaks of (place, size, clouds, shades), which
 * follows from {@code look}.
 *
 * @param relation how the first thing stands to the second, an index into {@link Attribute#RELATION}; empty for a single thing
 *     and where it is not known
 */
public record Scene(Background background, List<Thing> things, OptionalInt relation, long look) {
    public Scene {
        things = List.copyOf(things);
        if (things.isEmpty() || things.size() > 2) {
            throw new BadInputException("scene: one or two things expected, found " + things.size());
        }
        if (things.size() == 2 && things.get(0).kind().compareTo(things.get(1).kind()) >= 0) {
            throw new BadInputException("scene: a " + things.get(0).kind().noun() + " cannot come before "
                    + things.get(1).kind().noun());
        }
        if (relation.isPresent() && things.size() == 1) {
            throw new BadInputException("scene: a relation needs two things");
        }
    }

    /** The fine attributes that the scene has, known or not, in the order of captions. */
    public List<Facet> facets() {
        List<Facet> facets = new ArrayList<>();
        for (int thing = 0; thing < things.size(); thing++) {
            for (Attribute attribute : things.get(thing).kind().attributes()) {
                facets.add(new Facet(thing, attribute));
            }
            if (thing == 0 && things.size() == 2) {
                facets.add(new Facet(0, Attribute.RELATION));
            }
        }
        return facets;
    }

    /** Index of the value that a fine attribute has. */
    public int value(Facet facet) {
        return facet.attribute() == Attribute.RELATION
                ? relation.orElseThrow(() -> new BadInputException("scene: the relation is not known"))
                : things.get(facet.thing()).value(facet.attribute());
    }

    /** The same scene with one fine attribute changed. */
    public Scene with(Facet facet, int value) {
        if (facet.attribute() == Attribute.RELATION) {
            return new Scene(background, things, OptionalInt.of(value), look);
        }
        List<Thing> changed = new ArrayList<>(things);
        changed.set(facet.thing(), things.get(facet.thing()).with(facet.attribute(), value));
        return new Scene(background, changed, relation, look);
    }

    /** Everything that a full caption says is known. */
    public boolean isComplete() {
        return things.stream().allMatch(Thing::isComplete) && relation.isPresent() == (things.size() == 2);
    }
}
