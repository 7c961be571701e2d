package dev.diva.world.scene;

import java.util.List;
import java.util.Locale;

/**
 * A fine attribute: something that a caption may say of a thing (or, for {@link #RELATION}, of two things) beyond the gist. Its
 * values are the phrases that name them; a value is an index into the phrases.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists come from List.of
public enum Attribute {
    COUNT(Pattern.COUNT, Slot.COUNT, "two", "three", "four"),
    FILL(Pattern.STATE, Slot.BEFORE, "filled", "outlined"),
    OPENING(Pattern.STATE, Slot.BEFORE, "open", "closed"),
    MOOD(Pattern.STATE, Slot.BEFORE, "smiling", "frowning"),
    STANDING(Pattern.ORIENTATION, Slot.BEFORE, "upright", "inverted"),
    ROOF(Pattern.STRUCTURE, Slot.BEFORE, "gabled", "flat-roofed", "domed"),
    BOARD(Pattern.STRUCTURE, Slot.BEFORE, "round", "square"),
    MARKING(Pattern.COLOR, Slot.BEFORE, "striped", "plain"),
    COLOR(Pattern.COLOR, Slot.BEFORE, "red", "yellow", "green", "blue", "purple", "white"),
    COAT(Pattern.COLOR, Slot.BEFORE, "orange", "grey", "black", "white"),
    POINTING(Pattern.ORIENTATION, Slot.AFTER, "pointing left", "pointing right", "pointing up", "pointing down"),
    FACING(Pattern.ORIENTATION, Slot.AFTER, "facing left", "facing right"),
    ARRANGEMENT(Pattern.STRUCTURE, Slot.AFTER, "in a row", "in a stack"),
    HANDLE(Pattern.PRESENCE, Slot.AFTER, "with a handle", "without a handle"),
    CHIMNEY(Pattern.PRESENCE, Slot.AFTER, "with a chimney", "without a chimney"),
    GLASSES(Pattern.PRESENCE, Slot.AFTER, "with glasses", "without glasses"),
    COLLAR(Pattern.PRESENCE, Slot.AFTER, "with a collar", "without a collar"),
    LAMP(Pattern.PRESENCE, Slot.AFTER, "with a lamp", "without a lamp"),
    TEXT(Pattern.TEXT, Slot.AFTER, text("klostx", "letter"), text("123478", "number")),
    VIEW(Pattern.VIEWPOINT, Slot.AFTER, "seen from the front", "seen from the side"),
    RELATION(Pattern.POSITION, Slot.BETWEEN, "to the left of", "to the right of", "above", "below");

    /** Where the phrase stands in a caption: as the number word, before the noun, after it, or between two things. */
    public enum Slot {
        COUNT,
        BEFORE,
        AFTER,
        BETWEEN
    }

    private final Pattern pattern;
    private final Slot slot;
    private final List<String> phrases;

    Attribute(Pattern pattern, Slot slot, String... phrases) {
        this.pattern = pattern;
        this.slot = slot;
        this.phrases = List.of(phrases);
    }

    Attribute(Pattern pattern, Slot slot, List<String> some, List<String> more) {
        this.pattern = pattern;
        this.slot = slot;
        this.phrases =
                java.util.stream.Stream.concat(some.stream(), more.stream()).toList();
    }

    private static List<String> text(String glyphs, String what) {
        return glyphs.chars()
                .mapToObj(glyph -> "with the " + what + " " + (char) glyph)
                .toList();
    }

    public Pattern pattern() {
        return pattern;
    }

    public Slot slot() {
        return slot;
    }

    /** The phrase of each value. */
    public List<String> phrases() {
        return phrases;
    }

    /** How many values there are. */
    public int size() {
        return phrases.size();
    }

    /** Name in tables of labels. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The last word of a value's phrase: the colour's name, the glyph of a text. */
    public String lastWord(int value) {
        String phrase = phrases.get(value);
        return phrase.substring(phrase.lastIndexOf(' ') + 1);
    }
}
