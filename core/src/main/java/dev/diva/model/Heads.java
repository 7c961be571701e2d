package dev.diva.model;

import org.bytedeco.pytorch.Tensor;

/** Between tokens of full width and tokens per attention head. */
public final class Heads {
    private Heads() {}

    /** [batch, tokens, width] to [batch, heads, tokens, width / heads]. */
    public static Tensor split(Tensor x, long numHeads) {
        return x.view(x.size(0), x.size(1), numHeads, x.size(2) / numHeads).transpose(1, 2);
    }

    /** [batch, heads, tokens, headWidth] to [batch, tokens, heads * headWidth]. */
    public static Tensor join(Tensor x) {
        return x.transpose(1, 2).reshape(x.size(0), x.size(2), x.size(1) * x.size(3));
    }
}
