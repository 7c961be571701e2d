package dev.diva.demo;

import java.nio.file.Path;
import java.util.List;

/**
 * What lies where in the folder of a demo.
 *
 * @param shipped which of the shipped CLIPs is repaired
 */
record Places(Path root, String shipped) {
    /** The CLIP of the demo, and one of other seeds. */
    static final List<String> CLIPS = List.of("clip", "clip-2");

    /** Of the demo's CLIP. */
    Places(Path root) {
        this(root, CLIPS.get(0));
    }

    Path models() {
        return root.resolve("models");
    }

    Path clip() {
        return models().resolve(shipped);
    }

    Path diffusion() {
        return models().resolve("diffusion");
    }

    Path world() {
        return root.resolve("world");
    }

    /** Images without captions. */
    Path images() {
        return world().resolve("posttrain");
    }

    Path cache() {
        return root.resolve("latents");
    }

    /** Text alone, and the projection that is fitted to it. */
    Path captions() {
        return root.resolve("captions.txt");
    }

    /** Short captions, with which the guard holds the similarity. */
    Path guardTexts() {
        return root.resolve("gists.txt");
    }

    Path anchor() {
        return root.resolve(shipped + "-anchor.safetensors");
    }

    /** Runs and scores of the study. */
    Path study() {
        return root.resolve("study").resolve(shipped);
    }

    /** The folder of a post-training, as {@code diva train} leaves it. */
    Path run(Variant variant) {
        return variant.in(root.resolve("runs"));
    }

    /** The post-trained CLIP. */
    Path repaired() {
        return run(Variant.ANCHORED).resolve("clip");
    }

    /** Records of evaluations until they go into the run. */
    Path scores() {
        return root.resolve("scores");
    }

    /** The small LLaVAs: their data, runs and answers. */
    Path llavas() {
        return root.resolve("mllm");
    }

    Path report() {
        return root.resolve("report.html");
    }
}
