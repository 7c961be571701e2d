package dev.diva.diffusion.layer;

import dev.diva.model.Linear;
import org.bytedeco.pytorch.Tensor;

/**
 * What the tokens of one stream bring to an attention, and what they take from it.
 *
 * @param qkv to queries, keys and values
 * @param norm of the former two
 * @param heads attention heads
 * @param output behind the attention; null where nothing is taken from it
 */
public record StreamAttention(SideBySide qkv, QueryKeyNorm norm, long heads, Linear output) {
    /** [batch, tokens, width] to queries, keys and values. */
    Attended of(Tensor x) {
        return Attended.of(qkv.forward(x), heads, norm);
    }
}
