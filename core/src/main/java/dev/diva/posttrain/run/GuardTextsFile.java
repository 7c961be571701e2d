package dev.diva.posttrain.run;

import dev.diva.BadInputException;
import dev.diva.TextFile;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.Clip;
import dev.diva.engine.Engine;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.feedback.GuardTexts;
import dev.diva.posttrain.recipe.Recipe;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Reads the texts of {@code guard.texts}. */
final class GuardTextsFile {
    private static final int AT_ONCE = 64;

    private GuardTextsFile() {}

    /**
     * Their embeddings by the untouched CLIP, closed by the caller.
     *
     * @throws BadInputException for a file that is missing or holds no text
     */
    static GuardTexts read(Path file, Recipe recipe, Device device) {
        List<String> texts = TextFile.read(file)
                .lines()
                .map(String::strip)
                .filter(text -> !text.isEmpty())
                .distinct()
                .toList();
        if (texts.isEmpty()) {
            throw new BadInputException(file + ": holds no text; expected one on each line");
        }
        CheckpointFormat format = recipe.format() == null ? null : CheckpointFormat.of(recipe.format());
        Clip.Options options = new Clip.Options(Precision.FP32, recipe.threads(), AT_ONCE, format);
        try (Clip clip = Clip.load(Path.of(recipe.clip()), options)) {
            Tensor embeddings = Tensors.ofRows(clip.encodeTexts(texts));
            return new GuardTexts(
                    Tensors.onto(embeddings, device, ScalarType.Float),
                    clip.logitScale(),
                    recipe.guard().textsWeight());
        } finally {
            Engine.setThreads(recipe.threads());
        }
    }
}
