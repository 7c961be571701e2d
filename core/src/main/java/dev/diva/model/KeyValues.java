package dev.diva.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * What the tokens of one layer offer to the attention of others.
 *
 * @param keys [batch, heads, tokens, headWidth]
 * @param values as keys
 */
public record KeyValues(Tensor keys, Tensor values) {
    /** Those of all tokens but the first ones. */
    public KeyValues without(long first) {
        long count = keys.size(2) - first;
        return new KeyValues(keys.narrow(2, first, count), values.narrow(2, first, count));
    }

    /** These behind those of a prefix, batch 1, that all rows share; null stands for no prefix. */
    KeyValues after(KeyValues prefix) {
        return prefix == null ? this : new KeyValues(joined(prefix.keys, keys), joined(prefix.values, values));
    }

    private static Tensor joined(Tensor prefix, Tensor own) {
        return torch.cat(new TensorVector(prefix.expand(own.size(0), -1, -1, -1), own), 2);
    }
}
