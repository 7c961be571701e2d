package dev.diva.model;

import java.util.Locale;
import java.util.regex.Pattern;

/** What open_clip does to a text before a tokenizer sees it: {@code clean} of its {@code tokenizer_kwargs}. All repair the text with ftfy. */
public enum TextCleaning {
    /** White space becomes single spaces. */
    WHITESPACE {
        @Override
        public String apply(String text) {
            return TextRepair.whitespace(text);
        }
    },
    /** That, in lower case. */
    LOWER {
        @Override
        public String apply(String text) {
            return TextRepair.clean(text);
        }
    },
    /** That, without punctuation; an underscore becomes a space. */
    CANONICALIZE {
        @Override
        public String apply(String text) {
            String bare = withoutPunctuation(TextRepair.whitespace(text).replace('_', ' '));
            return singleSpaces(bare.toLowerCase(Locale.ROOT));
        }
    };

    private static final Pattern PUNCTUATION = Pattern.compile("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]");
    private static final Pattern SPACES = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

    /** The cleaned text. */
    public abstract String apply(String text);

    /** A text without the punctuation of ASCII. */
    public static String withoutPunctuation(String text) {
        return PUNCTUATION.matcher(text).replaceAll("");
    }

    /** A text with single spaces, and none at its ends. */
    public static String singleSpaces(String text) {
        return SPACES.matcher(text).replaceAll(" ").strip();
    }
}
