package dev.diva.posttrain.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * GenHancer's denoiser; a null is as published in stage 1, and as stage 1 has made it in stage 2.
 *
 * @param width of its tokens
 * @param heads of its attention
 * @param doubleBlocks that keep token and image apart
 * @param singleBlocks behind them
 * @param learns whether it learns in stage 2 as well, with the projectors
 */
public record FluxShape(
        Long width,
        Long heads,
        @JsonProperty("double") Integer doubleBlocks,
        @JsonProperty("single") Integer singleBlocks,
        boolean learns) {
    private static final long MOST_WIDTH = 1 << 16;
    private static final long MOST_BLOCKS = 256;

    public FluxShape {
        requireWithin("denoiser.width", width, 1, MOST_WIDTH);
        requireWithin("denoiser.heads", heads, 1, MOST_WIDTH);
        requireWithin("denoiser.double", doubleBlocks, 0, MOST_BLOCKS);
        requireWithin("denoiser.single", singleBlocks, 0, MOST_BLOCKS);
    }

    private static void requireWithin(String key, Number value, long from, long to) {
        if (value != null && (value.longValue() < from || value.longValue() > to)) {
            throw new IllegalArgumentException(key + " is " + value + ", expected " + from + " to " + to);
        }
    }
}
