package dev.diva.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;

/** What a run minimised, in the words of its page. */
enum Objective {
    DIVA(
            "Denoising loss",
            "from nothing but the CLIP's tokens: what it gets wrong, the tokens did not tell. Before and after share the noise, the choice of"
                    + " tokens and the trained projection, which learnt together with the CLIP of \"after\" and so favours it."),
    GENHANCER(
            "Velocity loss",
            "from nothing but the CLIP's embedding: what it gets wrong, the embedding did not tell. Before and after share the noise, the"
                    + " denoiser and its projectors, which learnt with the CLIP of \"before\" and so favour it, unless they learnt further"
                    + " with that of \"after\"."),
    DCR(
            "Contrastive loss",
            "from nothing but the CLIP's embedding: what it gets wrong, the embedding did not tell. Before and after share the noise and the"
                    + " projector, which learnt with the CLIP of \"before\" and so favours it."),
    UN2CLIP(
            "Denoising loss",
            "from nothing but the CLIP's embedding, which it was trained to take: what it gets wrong, the embedding did not tell. Before and"
                    + " after share the noise."),
    /** Of no post-training. */
    OTHER("Loss", "");

    private final String loss;
    private final String painted;

    Objective(String loss, String painted) {
        this.loss = loss;
        this.painted = painted;
    }

    /** That of a manifest; those of before there were others name a preset alone. */
    static Objective of(JsonNode manifest) {
        String name = manifest.path("objective").asText(manifest.has("preset") ? "diva" : "");
        return Arrays.stream(values())
                .filter(objective -> objective.name().equalsIgnoreCase(name))
                .findFirst()
                .orElse(OTHER);
    }

    /** Title of the curve of the loss. */
    String loss() {
        return loss;
    }

    /** What a painting shows: goes on from "paints each picture again". */
    String painted() {
        return painted;
    }
}
