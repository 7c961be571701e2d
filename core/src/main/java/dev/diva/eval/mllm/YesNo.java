package dev.diva.eval.mllm;

import dev.diva.PythonStrings;
import java.util.List;
import java.util.regex.Pattern;

/** How published scorers read yes or no from an answer. Each returns {@code yes}, {@code no}, or something else, which is wrong. */
final class YesNo {
    private static final String OTHER = "other";
    private static final Pattern DIGIT_COMMA = Pattern.compile("\\d,\\d", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern LONE_PERIOD = Pattern.compile("(?<!\\d)\\.(?!\\d)", Pattern.UNICODE_CHARACTER_CLASS);
    /** The original hands a flag where the number of replacements belongs. */
    private static final int PERIODS_DELETED = 32;

    private YesNo() {}

    /** LLaVA's {@code eval_pope}: words of the first sentence; all that does not say no is yes. */
    static String llavaPope(String text) {
        int period = text.indexOf('.');
        String sentence = (period < 0 ? text : text.substring(0, period)).replace(",", "");
        List<String> words = PythonStrings.blanks(sentence);
        return words.contains("No") || words.contains("not") || words.contains("no") ? "no" : "yes";
    }

    /** MME's {@code calculation.py}: the first four characters. */
    static String mmeTool(String text) {
        return prefix(PythonStrings.lower(text));
    }

    /** lmms-eval on MME: the same without periods and outer white space; a single y or n counts. */
    static String lmmsMme(String text) {
        String answer = PythonStrings.strip(PythonStrings.lower(text)).replace(".", "");
        return switch (answer) {
            case "y" -> "yes";
            case "n" -> "no";
            default -> PythonStrings.length(answer) == 1 ? OTHER : prefix(answer);
        };
    }

    private static String prefix(String answer) {
        String start = PythonStrings.prefix(answer, 4);
        return start.contains("yes") ? "yes" : start.contains("no") ? "no" : OTHER;
    }

    /** lmms-eval on POPE: the whole answer. */
    static String lmmsPope(String text) {
        return PythonStrings.strip(PythonStrings.lower(text));
    }

    /** VLMEvalKit: one of the two among the words. */
    static String vlmEvalKit(String text) {
        List<String> words = PythonStrings.words(withoutPunctuation(PythonStrings.lower(text)));
        boolean yes = words.contains("yes");
        boolean no = words.contains("no");
        return yes == no ? OTHER : yes ? "yes" : "no";
    }

    private static String withoutPunctuation(String text) {
        boolean digits = DIGIT_COMMA.matcher(text).find();
        String cleaned = text;
        for (String mark : ";/[]\"{}()=+\\_-><@`,?!".split("")) {
            boolean atBlank = text.contains(mark + " ") || text.contains(" " + mark);
            cleaned = cleaned.replace(mark, atBlank || digits ? "" : " ");
        }
        StringBuilder result = new StringBuilder();
        var periods = LONE_PERIOD.matcher(cleaned);
        for (int i = 0; i < PERIODS_DELETED && periods.find(); i++) {
            periods.appendReplacement(result, "");
        }
        periods.appendTail(result);
        return result.toString();
    }
}
