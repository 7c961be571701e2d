package dev.diva.mllm;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What a model answered.
 *
 * @param text without special tokens and outer white space
 * @param tokens ids that were generated, the end of the text included
 * @param promptTokens ids of the prompt: an image is -200 in the layout of LLaVA's authors, its id once for each patch in the hub's
 * @param isComplete whether the model ended by itself, before the limit
 */
public record Answer(
        String text,
        List<Long> tokens,
        List<Long> promptTokens,
        @JsonProperty("complete") boolean isComplete) {}
