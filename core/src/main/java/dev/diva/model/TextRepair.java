package dev.diva.model;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The cleaning of OpenAI's tokenizer: ftfy, HTML entities, white space, lower case. Of ftfy everything but the guess of wrongly decoded
 * text ("mojibake").
 */
public final class TextRepair {
    private static final Pattern TERMINAL_ESCAPE = Pattern.compile("\u001b\\[[\\d;]*[a-zA-Z]");
    private static final Pattern C1_CONTROL = Pattern.compile("[\u0080-\u009f]");
    private static final Pattern FULL_WIDTH = Pattern.compile("[\uff01-\uffef\u3000]+");
    private static final Pattern SINGLE_QUOTE = Pattern.compile("[\u02bc\u2018-\u201b]");
    private static final Pattern DOUBLE_QUOTE = Pattern.compile("[\u201c-\u201f]");
    private static final Pattern LINE_BREAK = Pattern.compile("\r\n|[\r\u2028\u2029\u0085]");
    private static final Pattern CONTROL =
            Pattern.compile("[\u0000-\u0008\u000b\u000e-\u001f\u007f\u206a-\u206f\ufeff\ufff9-\ufffc]");
    private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern REFERENCE = Pattern.compile("&(#\\d+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)");
    private static final Map<String, String> ENTITIES = entities();
    private static final String[][] LIGATURES = {
        {"\u0132", "IJ"}, {"\u0133", "ij"}, {"\u0149", "\u02bcn"}, {"\u01f1", "DZ"}, {"\u01f2", "Dz"},
        {"\u01f3", "dz"}, {"\u01c4", "D\u017d"}, {"\u01c5", "D\u017e"}, {"\u01c6", "d\u017e"}, {"\u01c7", "LJ"},
        {"\u01c8", "Lj"}, {"\u01c9", "lj"}, {"\u01ca", "NJ"}, {"\u01cb", "Nj"}, {"\u01cc", "nj"},
        {"\ufb00", "ff"}, {"\ufb01", "fi"}, {"\ufb02", "fl"}, {"\ufb03", "ffi"}, {"\ufb04", "ffl"},
        {"\ufb05", "\u017ft"}, {"\ufb06", "st"},
    };

    private TextRepair() {}

    /** The text as OpenAI's byte pair encoding sees it. */
    static String clean(String text) {
        return whitespace(text).toLowerCase(Locale.ROOT);
    }

    /** The same in the letters' own case. */
    static String whitespace(String text) {
        String fixed = unescapeHtml(unescapeHtml(fix(text)));
        return SPACE.matcher(fixed).replaceAll(" ").strip();
    }

    private static String fix(String text) {
        String current = text;
        String before;
        do {
            before = current;
            current = fixOnce(current);
        } while (!current.equals(before));
        return current;
    }

    private static String fixOnce(String text) {
        String fixed = text.contains("<") ? text : unescapeHtml(text);
        fixed = TERMINAL_ESCAPE.matcher(fixed).replaceAll("");
        fixed = C1_CONTROL.matcher(fixed).replaceAll(m -> Matcher.quoteReplacement(windows1252(m.group())));
        for (String[] ligature : LIGATURES) {
            fixed = fixed.replace(ligature[0], ligature[1]);
        }
        fixed = FULL_WIDTH
                .matcher(fixed)
                .replaceAll(m -> Matcher.quoteReplacement(Normalizer.normalize(m.group(), Normalizer.Form.NFKC)));
        fixed = SINGLE_QUOTE.matcher(fixed).replaceAll("'");
        fixed = DOUBLE_QUOTE.matcher(fixed).replaceAll("\"");
        fixed = LINE_BREAK.matcher(fixed).replaceAll("\n");
        fixed = CONTROL.matcher(fixed).replaceAll("");
        return Normalizer.normalize(fixed, Normalizer.Form.NFC);
    }

    private static String windows1252(String control) {
        String decoded = new String(new byte[] {(byte) control.charAt(0)}, Charset.forName("windows-1252"));
        return decoded.charAt(0) == '\ufffd' ? control : decoded;
    }

    /** Replaces character references as an HTML 5 parser does, the longest known name first. */
    static String unescapeHtml(String text) {
        return text.indexOf('&') < 0
                ? text
                : REFERENCE.matcher(text).replaceAll(m -> Matcher.quoteReplacement(reference(m.group(1))));
    }

    private static String reference(String name) {
        if (name.startsWith("#")) {
            return numeric(name.substring(1).replace(";", ""));
        }
        for (int length = name.length(); length > 1; length--) {
            String text = ENTITIES.get(name.substring(0, length));
            if (text != null) {
                return text + name.substring(length);
            }
        }
        return "&" + name;
    }

    private static String numeric(String digits) {
        boolean hex = digits.startsWith("x") || digits.startsWith("X");
        String value = hex ? digits.substring(1) : digits;
        int code;
        try {
            code = Integer.parseInt(value, hex ? 16 : 10);
        } catch (NumberFormatException e) {
            return "\ufffd";
        }
        if (code >= 0x80 && code <= 0x9f) {
            return windows1252(String.valueOf((char) code));
        }
        boolean invalid = code == 0 || code > Character.MAX_CODE_POINT || (code >= 0xd800 && code <= 0xdfff);
        return invalid ? "\ufffd" : Character.toString(code);
    }

    private static Map<String, String> entities() {
        Map<String, String> entities = new HashMap<>();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                TextRepair.class.getResourceAsStream("html-entities.txt"), StandardCharsets.UTF_8))) {
            reader.lines().filter(line -> !line.startsWith("# ")).forEach(line -> {
                String[] parts = line.split("[\t ]");
                StringBuilder text = new StringBuilder();
                for (int i = 1; i < parts.length; i++) {
                    text.appendCodePoint(Integer.parseInt(parts[i], 16));
                }
                entities.put(parts[0], text.toString());
            });
            return Map.copyOf(entities);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
