package dev.diva.world.scene;

import java.util.Locale;

/** Sets of scenes with streams of their own: no scene of one is drawn from the numbers of another. */
public enum Split {
    /** What the small CLIP, autoencoder and denoiser are trained on. */
    PRETRAIN,
    /** Images without captions, for post-training. */
    POSTTRAIN,
    RETRIEVAL,
    VALIDATION,
    TEST,
    PROBE_TRAIN,
    PROBE_TEST;

    /** Name of the split's random stream and of its folder. */
    public String stream() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
