package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * One question of a benchmark.
 *
 * @param id {@code question_id} of its answer: a number or a string; MME gives both questions of an image the same
 * @param picture the image
 * @param question the bare question, which any prompt must contain
 * @param prompt what the answers file records as asked
 * @param asked what the model is asked, after the image
 * @param maxNewTokens longest answer in tokens
 * @param extra further fields of the answer, as the original scorers expect them
 */
public record Item(
        JsonNode id,
        Picture picture,
        String question,
        String prompt,
        String asked,
        int maxNewTokens,
        ObjectNode extra) {}
