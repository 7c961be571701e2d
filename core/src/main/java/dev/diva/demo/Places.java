package dev.diva.demo;

import java.nio.file.Path;

/** What lies where in the folder of a demo. */
record Places(Path root) {
    Path models() {
        return root.resolve("models");
    }

    Path clip() {
        return models().resolve("clip");
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

    Path anchor() {
        return root.resolve("anchor.safetensors");
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
