package dev.diva.mllm.train;

import dev.diva.language.NextTokens;
import dev.diva.mllm.Prompt;
import dev.diva.mllm.PromptTemplate;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * Conversations as text, and what of it is learnt, by the rules of LLaVA.
 *
 * @param template {@link PromptTemplate#PLAIN}: image, caption, line feed, of which all behind the image is learnt; {@link
 *     PromptTemplate#VICUNA_V1}: every answer with its end
 * @param tokenized ids of a text as the model is asked
 * @param roundsAreJoined whether a question behind the end of an answer is a token shorter than at the start of a text (a tokenizer without
 *     the dummy prefix behind special tokens)
 * @param limit most ids of a sequence
 */
record Labelling(PromptTemplate template, Function<String, Prompt> tokenized, boolean roundsAreJoined, int limit) {
    private static final String END = "</s>";
    private static final String ANSWER = " ASSISTANT: ";

    LabelledText of(Conversation conversation) {
        return template == PromptTemplate.PLAIN ? caption(conversation) : rounds(conversation);
    }

    /**
     * Refuses what the template cannot say: captions are an image, a question and an answer.
     *
     * @throws Conversation.Unusable when it is something else
     */
    static void requireFit(PromptTemplate template, Conversation conversation) throws Conversation.Unusable {
        int turns = conversation.turns().size();
        if (template == PromptTemplate.PLAIN && (turns != 2 || conversation.image() == null)) {
            throw new Conversation.Unusable(
                    "has " + turns + " turns and " + (conversation.image() == null ? "no" : "an")
                            + " image; the template plain takes an image, one question and its caption");
        }
    }

    private LabelledText caption(Conversation conversation) {
        String text = PromptTemplate.IMAGE + conversation.turns().get(1).value() + "\n";
        long[] ids = tokenized.apply(text).ids();
        long[] labels = ids.clone();
        Arrays.fill(labels, 0, tokenized.apply(PromptTemplate.IMAGE).ids().length, NextTokens.NONE);
        return new LabelledText(ids, labels, false);
    }

    static String text(Conversation conversation) {
        List<PromptTemplate.Turn> none = List.of(new PromptTemplate.Turn("", null));
        String empty = PromptTemplate.VICUNA_V1.render(none);
        StringBuilder text = new StringBuilder(empty.substring(0, empty.indexOf("USER:")));
        for (Conversation.Turn turn : conversation.turns()) {
            text.append(turn.isHuman() ? "USER:" : "ASSISTANT:");
            if (!turn.value().isEmpty()) {
                text.append(' ').append(turn.value()).append(turn.isHuman() ? " " : END);
            }
        }
        return text.toString();
    }

    private LabelledText rounds(Conversation conversation) {
        String text = text(conversation);
        long[] ids = tokenized.apply(text).ids();
        if (conversation.image() == null && ids.length > limit) {
            ids = Arrays.copyOf(ids, limit); // LLaVA cuts these before it labels them
        }
        long[] labels = ids.clone();
        Arrays.fill(labels, 0, Math.min(1, labels.length), NextTokens.NONE);
        int at = 1;
        String[] rounds = text.split(END, -1);
        for (int i = 0; i < rounds.length && !rounds[i].isEmpty(); i++) {
            int answer = rounds[i].indexOf(ANSWER);
            if (answer < 0 || rounds[i].indexOf(ANSWER, answer + ANSWER.length()) >= 0) {
                break;
            }
            int joined = i > 0 && roundsAreJoined ? 1 : 0;
            int round = tokenized.apply(rounds[i]).ids().length - joined;
            String asked = rounds[i].substring(0, answer + ANSWER.length());
            int instruction = tokenized.apply(asked).ids().length - 2 - joined;
            mask(labels, at, at + instruction);
            at += round;
        }
        mask(labels, at, labels.length);
        long counted = Arrays.stream(ids).filter(id -> id != LabelledText.PAD).count();
        return at < limit && at != counted ? LabelledText.masked(ids, true) : new LabelledText(ids, labels, false);
    }

    private static void mask(long[] labels, int from, int to) {
        int start = Math.min(labels.length, from);
        Arrays.fill(labels, start, Math.max(start, Math.min(labels.length, to)), NextTokens.NONE);
    }
}
