package dev.diva.eval.mllm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Answers as lines of JSON, with the fields that the original scorers read. */
final class JsonAnswers {
    private JsonAnswers() {}

    static String line(JsonNode node) {
        try {
            return JsonLines.JSON.writeValueAsString(node) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of JSON cannot fail to be written", e);
        }
    }

    /** Key of the answer's text: MMVP's authors call it response. */
    static String textKey(Benchmark benchmark) {
        return benchmark == Benchmark.MMVP ? "response" : "text";
    }

    static ObjectNode answer(Benchmark benchmark, Item item, String text, String model) {
        ObjectNode node = JsonLines.JSON.createObjectNode();
        node.set("question_id", item.id());
        if (item.extra().has("round_id")) {
            node.set("round_id", item.extra().get("round_id"));
        }
        node.put("prompt", item.prompt());
        if (benchmark == Benchmark.MMVP) {
            node.setAll(item.extra());
        }
        node.put(textKey(benchmark), text);
        if (benchmark != Benchmark.MMVP) {
            node.setAll(item.extra());
        }
        String name = model + "\n" + benchmark.label() + "\n" + item.id().asText() + "\n" + item.asked();
        node.put(
                "answer_id",
                UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString());
        node.put("model_id", model);
        if (benchmark != Benchmark.MMVP) {
            node.putObject("metadata");
        }
        return node;
    }
}
