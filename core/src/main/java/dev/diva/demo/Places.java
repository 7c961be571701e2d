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

    /** The folder of the post-training, as {@code diva train} leaves it. */
    Path run() {
        return root.resolve("run");
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
