package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.diva.engine.ProcessGroup;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.posttrain.run.PostTraining;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.posttrain.run.TrainingModels;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Post-trains a CLIP by diffusion feedback: DIVA's, GenHancer's, DCR's or un2CLIP's. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        description = "Post-train a CLIP on images alone, by what a diffusion model says of its embeddings.",
        footer = {"", "SIGTERM and SIGINT write a checkpoint and end with code 75: go on with --resume."})
public final class TrainCommand extends TrainingCommand<PostTraining> {
    @Mixin
    private RecipeOptions options;

    @Override
    int train() throws JsonProcessingException {
        RecipeTree given = resume() ? options.over(new RunFiles(out()).recipe()) : options.tree();
        RecipeTree tree = isDryRun()
                ? given.with(
                        JsonNodeFactory.instance.objectNode().putNull("cache").putNull("weightsCache"), "--dry-run")
                : given;
        requireFreeFolder();
        RecipeOptions.require(tree, "clip", "diffusion", "images");
        Recipe asked = tree.recipe(); // wrong values are told before models are loaded
        MmvpScore score = isDryRun() || asked.eval().mmvp() == null
                ? null
                : new MmvpScore(Path.of(asked.eval().mmvp()), Path.of(asked.clip()), asked.format());
        try (TrainingModels models = TrainingModels.load(tree);
                ProcessGroup group =
                        processes().join(models.placement(), models.tree().toYaml())) {
            return run(group, () -> PostTraining.open(models, launch(options.files()), group, score));
        }
    }

    @Override
    void describe(PostTraining run, boolean isDone, long samples, Map<String, Object> record) {
        boolean hasClip = isDone && run.result().equals(run.files().clip());
        record.put("clip", hasClip ? run.result().toString() : null);
        if (isDone && !hasClip) {
            record.put("stage1", run.result().toString());
        }
        record.put("images", samples);
        record.put("notRead", run.notRead());
    }
}
