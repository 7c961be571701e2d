package dev.diva.checkpoint.format;

import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;

/** Models whose names all begin with what a training program put before them, as {@code module.}. */
public final class Unwrapped {
    private Unwrapped() {}

    /**
     * The tensors without the prefix that all of them share, if there is one.
     *
     * @param anchor a name that the model has, by which the prefix is found
     */
    public static TensorSource of(TensorSource stored, String anchor) {
        for (TensorInfo info : stored.tensors()) {
            if (info.name().endsWith("." + anchor)) {
                String prefix = info.name().substring(0, info.name().length() - anchor.length());
                boolean isShared =
                        stored.tensors().stream().allMatch(other -> other.name().startsWith(prefix));
                return isShared ? PrefixedSource.of(stored, prefix) : stored;
            }
        }
        return stored;
    }
}
