package dev.diva.world.scene;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Reads a caption back: the scene that it describes, with the fine attributes that it names and no others. */
public final class CaptionParser {
    private final String caption;
    private String rest;

    private CaptionParser(String caption) {
        this.caption = caption;
        this.rest = caption.startsWith(Captions.PROMPT) ? caption.substring(Captions.PROMPT.length()) : caption;
    }

    /**
     * The scene of a caption; its look is 0.
     *
     * @throws BadInputException if the caption is not one of the grammar of {@link Captions}
     */
    public static Scene parse(String caption) {
        return new CaptionParser(caption).scene();
    }

    private Scene scene() {
        List<Thing> things = new ArrayList<>(List.of(thing()));
        OptionalInt relation = OptionalInt.empty();
        int named = takeAny(Attribute.RELATION.phrases());
        if (named >= 0 || take("and")) {
            relation = named >= 0 ? OptionalInt.of(named) : relation;
            things.add(thing());
        }
        for (Background background : Background.values()) {
            if (rest.equals(background.phrase())) {
                return new Scene(background, things, relation, 0);
            }
        }
        throw unreadable("a background");
    }

    private Thing thing() {
        boolean article = take("a") || take("an");
        Map<Attribute, Integer> values = new EnumMap<>(Attribute.class);
        List<Attribute> leading = List.of(Attribute.values()).stream()
                .filter(attribute ->
                        attribute.slot() == Attribute.Slot.COUNT || attribute.slot() == Attribute.Slot.BEFORE)
                .toList();
        Kind kind = kind();
        List<String> words = new ArrayList<>();
        while (kind == null) {
            words.add(word());
            kind = kind();
        }
        takeLeading(kind, leading, words, values);
        for (Attribute attribute : kind.attributes()) {
            int value = attribute.slot() == Attribute.Slot.AFTER ? takeAny(attribute.phrases()) : -1;
            if (value >= 0) {
                values.put(attribute, value);
            }
        }
        if (article == kind.isGroup()) {
            throw unreadable((kind.isGroup() ? "no article" : "an article") + " before " + kind.noun());
        }
        return new Thing(kind, values);
    }

    /** The words before the noun, each the value of an attribute of the kind, in the kind's order. */
    private void takeLeading(Kind kind, List<Attribute> leading, List<String> words, Map<Attribute, Integer> values) {
        int taken = 0;
        for (Attribute attribute : kind.attributes()) {
            if (leading.contains(attribute) && taken < words.size()) {
                int value = attribute.phrases().indexOf(words.get(taken));
                if (value >= 0) {
                    values.put(attribute, value);
                    taken++;
                }
            }
        }
        if (taken < words.size()) {
            throw unreadable("an attribute of " + kind.noun() + " instead of \"" + words.get(taken) + "\"");
        }
    }

    private Kind kind() {
        for (Kind kind : Kind.values()) {
            if (take(kind.noun())) {
                return kind;
            }
        }
        return null;
    }

    private String word() {
        int end = rest.indexOf(' ');
        if (end <= 0) {
            throw unreadable("a thing");
        }
        String word = rest.substring(0, end);
        rest = rest.substring(end + 1);
        return word;
    }

    private int takeAny(List<String> phrases) {
        for (int i = 0; i < phrases.size(); i++) {
            if (take(phrases.get(i))) {
                return i;
            }
        }
        return -1;
    }

    private boolean take(String phrase) {
        if (!rest.startsWith(phrase + " ")) {
            return false;
        }
        rest = rest.substring(phrase.length() + 1);
        return true;
    }

    private BadInputException unreadable(String expected) {
        return new BadInputException("caption \"" + caption + "\": expected " + expected + " at \"" + rest + "\"");
    }
}
