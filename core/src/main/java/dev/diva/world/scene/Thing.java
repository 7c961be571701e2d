package dev.diva.world.scene;

import dev.diva.BadInputException;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * One thing, or one group, of a scene. What a caption tells of a thing may leave attributes out; a thing of a {@link Scene} that is
 * to be painted has them all.
 *
 * @param values index of the value of each known attribute
 */
public record Thing(Kind kind, Map<Attribute, Integer> values) {
    public Thing {
        Map<Attribute, Integer> copy = new EnumMap<>(Attribute.class);
        copy.putAll(values);
        for (Map.Entry<Attribute, Integer> entry : copy.entrySet()) {
            Attribute attribute = entry.getKey();
            if (!kind.attributes().contains(attribute)
                    || entry.getValue() < 0
                    || entry.getValue() >= attribute.size()) {
                throw new BadInputException(
                        "scene: a " + kind.noun() + " has no " + attribute.label() + " number " + entry.getValue());
            }
        }
        values = Collections.unmodifiableMap(copy);
    }

    /** Index of the attribute's value, which has to be known. */
    public int value(Attribute attribute) {
        Integer value = values.get(attribute);
        if (value == null) {
            throw new BadInputException("scene: the " + attribute.label() + " of the " + kind.noun() + " is not known");
        }
        return value;
    }

    /** The same thing with one attribute changed. */
    public Thing with(Attribute attribute, int value) {
        Map<Attribute, Integer> changed = new EnumMap<>(Attribute.class);
        changed.putAll(values);
        changed.put(attribute, value);
        return new Thing(kind, changed);
    }

    /** All attributes of the kind are known. */
    public boolean isComplete() {
        return values.size() == kind.attributes().size();
    }
}
