package dev.diva.posttrain.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;

/**
 * GenHancer's denoiser; a null is as published in stage 1, and as stage 1 has made it in stage 2.
 *
 * @param width of its tokens
 * @param heads of its attention
 * @param token width of the token that it is told
 * @param vector width of the vector that it is told
 * @param doubleBlocks that keep token and image apart
 * @param singleBlocks behind them
 * @param learns whether it learns in stage 2 as well, with the projectors
 */
public record FluxShape(
        Long width,
        Long heads,
        Long token,
        Long vector,
        @JsonProperty("double") Integer doubleBlocks,
        @JsonProperty("single") Integer singleBlocks,
        boolean learns) {
    private static final long MOST_WIDTH = 1 << 16;
    private static final long MOST_BLOCKS = 256;

    public FluxShape {
        requireWithin("denoiser.width", width, 1, MOST_WIDTH);
        requireWithin("denoiser.heads", heads, 1, MOST_WIDTH);
        requireWithin("denoiser.token", token, 1, MOST_WIDTH);
        requireWithin("denoiser.vector", vector, 1, MOST_WIDTH);
        requireWithin("denoiser.double", doubleBlocks, 0, MOST_BLOCKS);
        requireWithin("denoiser.single", singleBlocks, 0, MOST_BLOCKS);
    }

    /** The same with another's sizes where it has none. */
    public FluxShape or(FluxShape other) {
        return new FluxShape(
                Objects.requireNonNullElse(width, other.width),
                Objects.requireNonNullElse(heads, other.heads),
                Objects.requireNonNullElse(token, other.token),
                Objects.requireNonNullElse(vector, other.vector),
                Objects.requireNonNullElse(doubleBlocks, other.doubleBlocks),
                Objects.requireNonNullElse(singleBlocks, other.singleBlocks),
                learns);
    }

    private static void requireWithin(String key, Number value, long from, long to) {
        if (value != null && (value.longValue() < from || value.longValue() > to)) {
            throw new IllegalArgumentException(key + " is " + value + ", expected " + from + " to " + to);
        }
    }
}
