package dev.diva.mllm;

import dev.diva.language.LlamaTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** An answer while it grows: what is certain of its text is told as soon as it is. */
final class TextStream {
    private final LlamaTokenizer tokenizer;
    private final Consumer<String> listener;
    private final Set<Long> bytes;
    private final List<Long> tokens = new ArrayList<>();
    private String told = "";

    TextStream(LlamaTokenizer tokenizer, Consumer<String> listener) {
        this.tokenizer = tokenizer;
        this.listener = listener;
        this.bytes = IntStream.range(0, 256)
                .mapToObj(value -> tokenizer.idOf(String.format("<0x%02X>", value)))
                .flatMap(id -> id.stream().boxed())
                .collect(Collectors.toSet());
    }

    void add(long token) {
        tokens.add(token);
        if (!bytes.contains(token)) { // behind a byte a character may not be whole yet
            tell(text());
        }
    }

    /** The whole text; tells the rest. */
    String end() {
        String text = text();
        tell(text);
        return text;
    }

    private void tell(String text) {
        if (text.length() > told.length() && text.startsWith(told)) {
            listener.accept(text.substring(told.length()));
            told = text;
        }
    }

    private String text() {
        return stripped(
                tokenizer.decode(tokens.stream().mapToLong(Long::longValue).toArray()));
    }

    /** Without what Python calls white space, on both sides. */
    private static String stripped(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isSpace(text.charAt(from))) {
            from++;
        }
        while (to > from && isSpace(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }
}
