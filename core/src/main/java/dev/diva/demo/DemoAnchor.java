package dev.diva.demo;

import dev.diva.checkpoint.AtomicFile;
import dev.diva.clip.Clip;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.feedback.anchor.AnchorRun;
import dev.diva.feedback.anchor.AnchorTarget;
import dev.diva.feedback.anchor.CaptionModels;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What the demo takes from texts alone, of scenes of which no image is painted: the projection that it starts with, and what the guard holds. */
final class DemoAnchor {
    private static final int SCENES = 5_000;
    private static final double NAMED = 0.5;
    private static final double RIDGE = 0.3;

    private DemoAnchor() {}

    /** Writes the texts of the guard, captions and the projection fitted to them. */
    static void make(Places places, long seed) {
        AtomicFile.writeString(places.guardTexts(), String.join("\n", gists(seed)) + "\n");
        AtomicFile.writeString(places.captions(), String.join("\n", captions(seed)) + "\n");
        try (Clip clip = Clip.load(places.clip(), WorldScores.ONE_THREAD);
                DiffusionModel teacher = DiffusionModel.load(places.diffusion(), Placement.cpu(Precision.FP32));
                CaptionModels models = new CaptionModels(clip, teacher, AnchorTarget.of(teacher))) {
            new AnchorRun(places.captions(), places.anchor(), models, Map.of()).run(RIDGE, null, (done, total) -> {});
        }
    }

    /** A full caption of each scene, and one that names half of its attributes. */
    private static List<String> captions(long seed) {
        SceneSampler sampler = new SceneSampler(seed, Split.PRETRAIN);
        List<String> captions = new ArrayList<>();
        for (int i = 0; i < SCENES; i++) {
            Scene scene = sampler.scene(i);
            captions.add(Captions.full(scene));
            captions.add(Captions.web(scene, NAMED, sampler.stream("anchor", i)));
        }
        return captions;
    }

    /** What scenes show, without a detail, each once. */
    private static List<String> gists(long seed) {
        SceneSampler sampler = new SceneSampler(seed, Split.PRETRAIN);
        return IntStream.range(0, SCENES)
                .mapToObj(i -> Captions.gist(sampler.scene(i)))
                .distinct()
                .toList();
    }
}
