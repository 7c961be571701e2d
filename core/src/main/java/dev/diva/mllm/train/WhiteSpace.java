package dev.diva.mllm.train;

/** White space as Python takes it, in which LLaVA's lengths and prompts are counted. */
final class WhiteSpace {
    private WhiteSpace() {}

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    /** The text without white space at both ends. */
    static String strip(String text) {
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

    /** Words between white space. */
    static int words(String text) {
        int words = 0;
        for (int i = 0; i < text.length(); i++) {
            if (!isSpace(text.charAt(i)) && (i == 0 || isSpace(text.charAt(i - 1)))) {
                words++;
            }
        }
        return words;
    }
}
