package dev.diva.eval;

/** What of an image is compared with texts. */
public enum Feature {
    /** The tower's own image embedding, which users deploy. */
    ZERO_SHOT,
    /** The published feature: projected class token plus the mean of all projected local tokens; deterministic. */
    CLASS_PLUS_MEAN_LOCAL,
    /** What the authors score for this backbone. */
    BACKBONE
}
