package dev.diva.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.Evaluation;
import dev.diva.eval.mllm.Benchmark;
import dev.diva.eval.mllm.MllmRun;
import dev.diva.eval.mllm.Prompts;
import dev.diva.eval.mllm.Rules;
import dev.diva.mllm.LlavaSwap;
import dev.diva.mllm.train.StageInputs;
import dev.diva.mllm.train.StageKeys;
import dev.diva.mllm.train.StageRun;
import dev.diva.train.Launch;
import dev.diva.train.RecipeKeys;
import dev.diva.train.RunFolder;
import dev.diva.world.ConversationSets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The paper's second claim on the mini world: a small LLaVA is trained with the untouched tower and with the post-trained one, both stages, and
 * a third has the post-trained tower put in without further training. All answer questions on pairs that differ in one fine attribute. Every
 * finished part is kept, so that an interrupted demo goes on.
 */
public final class LlavaDemo {
    private static final int IMAGES = 4000;
    private static final int PAIRS = 50; // of each visual pattern

    private final Places places;
    private final Watcher watcher;
    private final Training training = new Training();

    /** @param out folder of a {@link Demo} that has been run */
    public LlavaDemo(Path out, Watcher watcher) {
        this.places = new Places(out);
        this.watcher = watcher;
    }

    /** Asks for a checkpoint and a clean end, from any thread. */
    public void stop() {
        training.stop();
    }

    /**
     * Runs what is not done yet.
     *
     * @return scores of the three models, the later ones tested against the first; nothing when stopped
     */
    public Optional<Evaluation> run() {
        Path data = places.llavas().resolve("data");
        if (!Files.exists(data)) {
            watcher.stage("Painting what the LLaVAs learn from and are asked");
            new ConversationSets(Demo.WORLD).write(data, IMAGES, PAIRS);
        }
        Optional<Path> untouched = trained("untouched", places.clip(), data);
        Optional<Path> repaired = untouched.flatMap(first -> trained("repaired", places.repaired(), data));
        if (repaired.isEmpty()) {
            return Optional.empty();
        }
        Path swapped = places.llavas().resolve("swapped");
        if (!Files.exists(swapped)) {
            LlavaSwap.write(untouched.get(), places.repaired(), null, swapped, null, false);
        }
        return scored(Map.of("untouched", untouched.get(), "swapped", swapped, "repaired", repaired.get()), data);
    }

    /** Both stages with a tower. */
    private Optional<Path> trained(String name, Path clip, Path data) {
        ObjectNode first = RecipeKeys.assignment("stage=projector");
        first.put("llava", absolute(places.models().resolve("llm")))
                .put("tower", absolute(clip))
                .put("data", absolute(data.resolve("captions.json")));
        Optional<Path> aligned = stage(name, "projector", first, data);
        return aligned.flatMap(begun -> {
            ObjectNode second = RecipeKeys.assignment("stage=instruct");
            second.put("llava", absolute(begun)).put("data", absolute(data.resolve("questions.json")));
            return stage(name, "instruct", second, data);
        });
    }

    private Optional<Path> stage(String name, String stage, ObjectNode begins, Path data) {
        Path out = places.llavas().resolve(name + "-" + stage);
        if (training.isStopped()) {
            return Optional.empty();
        }
        boolean isBegun = RunFolder.isRun(out);
        Path result = out.resolve("llava");
        if (isBegun && Files.isDirectory(result)) {
            return Optional.of(result);
        }
        watcher.stage("LLaVA with the " + name + " tower, stage " + stage);
        begins.put("images", absolute(data.resolve("images")));
        StageKeys recipe = isBegun ? StageKeys.ofRun(out) : recipe(stage).with(begins, "demo");
        try (StageInputs inputs = StageInputs.load(recipe);
                ProcessGroup alone = ProcessGroup.single();
                StageRun run =
                        StageRun.open(inputs, new Launch(out, isBegun, List.of("demo", "--mllm"), List.of()), alone)) {
            return training.run(run, watcher) ? Optional.of(result) : Optional.empty();
        }
    }

    /** LLaVA's recipe with the rates of a small model. */
    private static StageKeys recipe(String stage) {
        StageKeys keys = StageKeys.of(stage);
        List<String> changes = stage.equals("projector")
                ? List.of(
                        "train.steps=1000", "train.batch=16", "train.accumulate=1", "train.lr=2.0e-3", "maxLength=256")
                : List.of(
                        "trainable.mode=full",
                        "train.steps=400",
                        "train.batch=16",
                        "train.accumulate=1",
                        "train.lr=3.0e-4",
                        "train.projectorLr=1.0e-3",
                        "maxLength=256");
        for (String change : changes) {
            keys = keys.with(RecipeKeys.assignment(change), change);
        }
        return keys.with(RecipeKeys.assignment("precision=fp32"), "demo");
    }

    private Optional<Evaluation> scored(Map<String, Path> llavas, Path data) {
        watcher.stage("Asking the three LLaVAs about " + 2 * 9 * PAIRS + " pictures");
        MllmRun.Settings settings = new MllmRun.Settings(
                List.of(Benchmark.MMVP),
                data.resolve("mmvp"),
                Prompts.LLAVA,
                Rules.LLAVA,
                List.of(),
                null,
                places.llavas().resolve("answers"));
        MllmRun run = new MllmRun(settings, new MllmRun.Listener() {});
        for (String name : List.of("untouched", "swapped", "repaired")) {
            try (LlavaAnswers model = new LlavaAnswers(name, llavas.get(name), training::isStopped)) {
                run.answer(model);
            } catch (dev.diva.eval.mllm.Answerer.Stopped e) {
                return Optional.empty();
            }
        }
        Evaluation scores = run.evaluation();
        AtomicFile.writeString(
                places.llavas().resolve("scores.json"), scores.toJson().toPrettyString() + "\n");
        return Optional.of(scores);
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }
}
