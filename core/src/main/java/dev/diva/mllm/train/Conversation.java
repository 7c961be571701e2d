package dev.diva.mllm.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.PythonStrings;
import dev.diva.mllm.PromptTemplate;
import java.util.ArrayList;
import java.util.List;

/**
 * A sample of LLaVA's data: what a person and the model say in turn, about an image or none.
 *
 * @param image path inside the image folder, or null
 * @param turns in order; the first is a person's
 */
record Conversation(String image, List<Turn> turns) {
    Conversation {
        turns = List.copyOf(turns);
    }

    /** What one of both says. */
    record Turn(boolean isHuman, String value) {}

    /** Why a sample cannot be used. */
    static final class Unusable extends Exception {
        private static final long serialVersionUID = 1;

        Unusable(String reason) {
            super(reason);
        }
    }

    /**
     * Reads a sample as LLaVA does: a first turn of the model is dropped, and in every message with an image the placeholder is put in front.
     *
     * @throws Unusable when it is no conversation, or placeholder and image lack each other
     */
    static Conversation read(JsonNode sample) throws Unusable {
        JsonNode named = sample.path("image");
        if (!named.isMissingNode() && !named.isNull() && !named.isTextual()) {
            throw new Unusable("\"image\" is " + brief(named) + ", expected one path");
        }
        String image = named.isTextual() ? named.textValue() : null;
        List<Turn> turns = new ArrayList<>();
        for (JsonNode node : sample.path("conversations")) {
            turns.add(turn(node, image != null));
        }
        requirePlaceholder(turns, image != null);
        if (!turns.isEmpty() && !turns.get(0).isHuman()) {
            turns.remove(0);
        }
        if (turns.isEmpty()) {
            throw new Unusable("holds no turn of a person in \"conversations\"");
        }
        for (int i = 0; i < turns.size(); i++) {
            if (turns.get(i).isHuman() != (i % 2 == 0)) {
                throw new Unusable("two turns of " + (turns.get(i).isHuman() ? "human" : "gpt")
                        + " follow each other; they have to take turns");
            }
        }
        return new Conversation(image, turns);
    }

    private static Turn turn(JsonNode node, boolean hasImage) throws Unusable {
        String from = node.path("from").asText();
        JsonNode value = node.path("value");
        if (!(from.equals("human") || from.equals("gpt")) || !value.isTextual()) {
            throw new Unusable("a turn is " + brief(node) + ", expected \"from\" human or gpt and a text as \"value\"");
        }
        String text = value.textValue();
        if (hasImage && text.contains(PromptTemplate.IMAGE)) {
            String question = PythonStrings.strip(text.replace(PromptTemplate.IMAGE, ""));
            text = PythonStrings.strip(PromptTemplate.IMAGE + "\n" + question);
        }
        return new Turn(from.equals("human"), text);
    }

    private static void requirePlaceholder(List<Turn> turns, boolean hasImage) throws Unusable {
        long placeholders = turns.stream()
                .filter(turn -> turn.value().contains(PromptTemplate.IMAGE))
                .count();
        if (placeholders != (hasImage ? 1 : 0)) {
            throw new Unusable(
                    hasImage
                            ? "has an image, and " + placeholders + " messages with " + PromptTemplate.IMAGE
                                    + "; one is to say where it belongs"
                            : "has " + PromptTemplate.IMAGE + " and no \"image\"");
        }
    }

    private static String brief(JsonNode node) {
        String text = node.isMissingNode() ? "missing" : node.toString();
        return text.length() > 60 ? text.substring(0, 60) + ".." : text;
    }

    /** Words of all turns of a sample, negative without an image: what LLaVA sorts by. */
    static int length(JsonNode sample) {
        int words = 0;
        for (JsonNode turn : sample.path("conversations")) {
            words += PythonStrings.words(turn.path("value").asText()).size();
        }
        return sample.has("image") ? Math.max(1, words) : -Math.max(1, words);
    }
}
