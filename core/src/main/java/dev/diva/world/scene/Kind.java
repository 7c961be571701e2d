package dev.diva.world.scene;

import java.util.List;

/**
 * What a thing is: the other half of the gist. Attributes are listed in the order in which captions name them. Two things of a
 * scene are of different kinds, and stand in captions in the order of this list.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists come from List.of
public enum Kind {
    ARROW("arrow", Attribute.FILL, Attribute.COLOR, Attribute.POINTING),
    STAR("star", Attribute.FILL, Attribute.COLOR),
    FISH("fish", Attribute.MARKING, Attribute.COLOR, Attribute.FACING),
    CAT("cat", Attribute.COAT, Attribute.COLLAR, Attribute.VIEW),
    CUP("cup", Attribute.STANDING, Attribute.COLOR, Attribute.HANDLE),
    SIGN("sign", Attribute.BOARD, Attribute.COLOR, Attribute.TEXT),
    DOOR("door", Attribute.OPENING, Attribute.COLOR, Attribute.LAMP),
    CAR("car", Attribute.COLOR, Attribute.VIEW),
    HOUSE("house", Attribute.ROOF, Attribute.COLOR, Attribute.CHIMNEY),
    FACE("face", Attribute.MOOD, Attribute.GLASSES, Attribute.VIEW),
    BLOCKS("blocks", Attribute.COUNT, Attribute.COLOR, Attribute.ARRANGEMENT),
    BALLS("balls", Attribute.COUNT, Attribute.MARKING, Attribute.COLOR),
    BOXES("boxes", Attribute.COUNT, Attribute.OPENING, Attribute.COLOR);

    private final String noun;
    private final List<Attribute> attributes;

    Kind(String noun, Attribute... attributes) {
        this.noun = noun;
        this.attributes = List.of(attributes);
    }

    public String noun() {
        return noun;
    }

    public List<Attribute> attributes() {
        return attributes;
    }

    /** Several of a sort: the noun is plural and takes no article. */
    public boolean isGroup() {
        return attributes.contains(Attribute.COUNT);
    }

    /** Hangs in the air instead of standing on the ground. */
    public boolean floats() {
        return this == ARROW || this == STAR || this == FISH;
    }
}
