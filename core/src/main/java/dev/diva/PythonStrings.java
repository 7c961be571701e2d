package dev.diva;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** String operations as Python does them, on which published scorers rest. */
public final class PythonStrings {
    private PythonStrings() {}

    public static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /** {@code str.isspace} of one character. */
    public static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    /** {@code str.strip()}. */
    public static String strip(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isSpace(text.charAt(from))) {
            from++;
        }
        while (from < to && isSpace(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    /** {@code str.strip(c)}. */
    public static String strip(String text, char c) {
        int from = 0;
        int to = text.length();
        while (from < to && text.charAt(from) == c) {
            from++;
        }
        while (from < to && text.charAt(to - 1) == c) {
            to--;
        }
        return text.substring(from, to);
    }

    /** {@code str.split()}: at runs of white space, no empty words. */
    public static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isSpace(c)) {
                word.append(c);
            } else if (word.length() > 0) {
                words.add(word.toString());
                word.setLength(0);
            }
        }
        if (word.length() > 0) {
            words.add(word.toString());
        }
        return words;
    }

    /** {@code str.split(' ')}: at every blank, empty words kept. */
    public static List<String> blanks(String text) {
        return List.of(text.split(" ", -1));
    }

    /** {@code text[:count]} in code points. */
    public static String prefix(String text, int count) {
        return text.codePointCount(0, text.length()) <= count
                ? text
                : text.substring(0, text.offsetByCodePoints(0, count));
    }

    /** {@code len}. */
    public static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** {@code round(value, digits)}: of the exact binary value, ties to even. */
    public static double round(double value, int digits) {
        return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).doubleValue();
    }
}
