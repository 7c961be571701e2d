package dev.diva.clip;

/**
 * What a checkpoint's own files say of its two towers.
 *
 * @param vision the image tower
 * @param text the text tower, or null where the checkpoint has none
 */
public record ClipConfig(VisionConfig vision, TextConfig text) {
    /** Whether texts can be encoded. */
    public boolean hasText() {
        return text != null;
    }

    /** The image tower alone. */
    public ClipConfig withoutText() {
        return new ClipConfig(vision, null);
    }
}
