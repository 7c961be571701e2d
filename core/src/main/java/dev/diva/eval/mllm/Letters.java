package dev.diva.eval.mllm;

import dev.diva.PythonStrings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How published scorers read the letter of an option from an answer; empty when they find none. */
final class Letters {
    private static final List<Pattern> MMVP = patterns(
            "^\\s*\\(?([AB])\\)?\\.?\\s*$",
            "^\\s*\\(?([AB])\\)?[\\.\\s]",
            "answer\\s+is\\s+\\(?([AB])\\)?",
            "option\\s+\\(?([AB])\\)?",
            "\\(?([AB])\\)?(?:\\s|$)");
    private static final Pattern ANSWER_IS =
            Pattern.compile("(?:correct\\s+)?answer\\s+is\\s+\\**([ABCD])\\**", Pattern.CASE_INSENSITIVE);
    private static final List<String> REFUSALS = List.of(
            "Sorry, I can't help with images of people yet.",
            "I can't process this file.",
            "I'm sorry, but without the image provided",
            "Cannot determine the answer");
    private static final String FAILED = "Failed to obtain answer via API";
    private static final String[][] AFFIXES = {
        {"", "."},
        {"", ","},
        {"", ":"},
        {"", ")"},
        {"", ")."},
        {"(", ")"},
        {"(", ")."},
        {":", ""},
        {":", ","},
        {":", "."},
        {":", ")"},
        {":", ")."}
    };
    private static final List<String> PHRASES = List.of(
            "the answer is",
            "answer is",
            "the correct answer is",
            "correct answer is",
            "the best answer is",
            "best answer is",
            "the correct option is",
            "correct option is",
            "the best option is",
            "best option is",
            "the choice is",
            "choice is",
            "the correct choice is",
            "correct choice is",
            "i choose",
            "i select",
            "i pick",
            "my answer is",
            "my choice is",
            "옵션",
            "정답은",
            "답은",
            "답:",
            "答案是",
            "答案为",
            "选",
            "答えは");

    private Letters() {}

    private static List<Pattern> patterns(String... texts) {
        List<Pattern> patterns = new ArrayList<>();
        for (String text : texts) {
            patterns.add(Pattern.compile(
                    text, Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE | Pattern.UNICODE_CHARACTER_CLASS));
        }
        return List.copyOf(patterns);
    }

    /** lmms-eval on MMVP: A or B by five patterns in order, then the first character. */
    static String lmmsMmvp(String answer) {
        String text = PythonStrings.strip(answer);
        for (Pattern pattern : MMVP) {
            Matcher matcher = pattern.matcher(text);
            if (matcher.find()) {
                return matcher.group(1).toUpperCase(java.util.Locale.ROOT);
            }
        }
        return text.matches("(?s)[aAbB].*") ? text.substring(0, 1).toUpperCase(java.util.Locale.ROOT) : "";
    }

    /** VLMEvalKit's exact matching: a letter among the last words, a phrase, else the text of one option. */
    static String vlmEvalKit(String answer, Map<String, String> options) {
        String letter = answer.contains(FAILED) ? "" : optionLetter(answer, options);
        return letter.isEmpty() ? optionText(answer, options, true) : letter;
    }

    private static String optionLetter(String answer, Map<String, String> options) {
        if (REFUSALS.stream().anyMatch(answer::contains)) {
            return "Z";
        }
        List<String> words = PythonStrings.words(answer.replaceAll("[.()\\[\\],:;!*#{}]", " "));
        List<String> found = options.keySet().stream().filter(words::contains).toList();
        if (found.size() == 1 && words.indexOf(found.get(0)) > words.size() - 5) {
            return found.get(0);
        }
        if (found.isEmpty() && words.contains("Z")) {
            return "Z";
        }
        Matcher phrase = ANSWER_IS.matcher(answer);
        if (phrase.find()) {
            String letter = phrase.group(1).toUpperCase(java.util.Locale.ROOT);
            return options.containsKey(letter) ? letter : "";
        }
        return "";
    }

    private static String optionText(String answer, Map<String, String> options, boolean limited) {
        String text = PythonStrings.lower(answer);
        int length = options.values().stream().mapToInt(PythonStrings::length).sum();
        if (limited && PythonStrings.length(text) > 2 * length) {
            return "";
        }
        List<String> found = options.entrySet().stream()
                .filter(option -> text.contains(PythonStrings.lower(option.getValue())))
                .map(Map.Entry::getKey)
                .toList();
        return found.size() == 1 ? found.get(0) : "";
    }

    /** lmms-eval's matching on MMBench without a judge. */
    static String lmmsStatic(String answer, Map<String, String> options) {
        String letter = answer.contains(FAILED) ? "" : lmmsOption(answer);
        if (letter.isEmpty()) {
            letter = optionText(answer, options, false);
        }
        return letter.isEmpty()
                ? anyLetter(answer, options.keySet().stream().sorted().toList())
                : letter;
    }

    private static String lmmsOption(String answer) {
        List<String> letters = List.of("A", "B", "C", "D", "E");
        List<String> words = PythonStrings.words(answer);
        List<String> bare = letters.stream().filter(words::contains).toList();
        boolean quantifier = words.contains("A") && words.size() > 3;
        if (bare.size() == 1 && !quantifier) {
            return bare.get(0);
        }
        for (String[] affix : AFFIXES) {
            List<String> found = letters.stream()
                    .filter(letter -> words.contains(affix[0] + letter + affix[1]))
                    .toList();
            if (found.size() == 1) {
                return found.get(0);
            }
        }
        return "";
    }

    private record Candidate(String letter, int position, int priority) {}

    /** The last letter in the surest of many forms; in the end any capital letter of an option. */
    private static String anyLetter(String answer, List<String> letters) {
        String text = PythonStrings.strip(answer);
        if (text.isEmpty()) {
            return "";
        }
        for (char mark : ",.!?;:'\"".toCharArray()) {
            text = PythonStrings.strip(text, mark);
        }
        List<Candidate> candidates = candidates(" " + text + " ", letters);
        return candidates.stream()
                .max(Comparator.comparingInt(Candidate::priority).thenComparingInt(Candidate::position))
                .map(best -> candidates.stream() // the first of equals
                        .filter(c -> c.priority == best.priority && c.position == best.position)
                        .findFirst()
                        .orElseThrow()
                        .letter)
                .orElse("");
    }

    private static List<Candidate> candidates(String text, List<String> letters) {
        List<Candidate> found = new ArrayList<>();
        String[][] forms = {{"(", ")"}, {"", "."}, {"", ":"}, {"", ")"}, {"", " "}};
        int[] priorities = {6, 5, 4, 3, 2};
        for (int form = 0; form < forms.length; form++) {
            for (String letter : letters) {
                add(found, letter, text.lastIndexOf(forms[form][0] + letter + forms[form][1]), priorities[form]);
            }
        }
        String lower = PythonStrings.lower(text);
        for (String phrase : new LinkedHashSet<>(PHRASES)) {
            int at = lower.indexOf(phrase);
            for (String letter : at < 0 ? List.<String>of() : letters) {
                add(found, letter, text.indexOf(letter, at + phrase.length()), 7);
            }
        }
        String stripped = PythonStrings.strip(text);
        for (String letter : letters) {
            if (stripped.startsWith(letter) && !letterAt(stripped, 1)) {
                add(found, letter, 0, 10);
            }
        }
        for (String letter : letters) {
            if (stripped.endsWith(letter) && !letterAt(stripped, stripped.length() - 2)) {
                add(found, letter, text.length() - 1, 9);
            }
        }
        if (found.isEmpty()) {
            letters.forEach(letter -> add(found, letter, text.lastIndexOf(letter), 0));
        }
        return found;
    }

    private static boolean letterAt(String text, int index) {
        return index >= 0 && index < text.length() && Character.isLetter(text.charAt(index));
    }

    private static void add(List<Candidate> found, String letter, int position, int priority) {
        if (position >= 0) {
            found.add(new Candidate(letter, position, priority));
        }
    }
}
