package dev.diva.posttrain.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.clip.Clip;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Activations;
import dev.diva.engine.Precision;
import dev.diva.feedback.TeacherCheck;
import dev.diva.feedback.TeacherPairs;
import dev.diva.feedback.anchor.AnchorTarget;
import dev.diva.feedback.anchor.CaptionModels;
import dev.diva.testing.Golden;
import dev.diva.testing.MetaDevice;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.junit.jupiter.api.Test;

/** What is asked of a teacher beside training, on another device than the processor. */
class TeacherDeviceTest {
    @Test
    void errorsOfNoisyImagesAreComputedWhereTheTeacherIs() {
        Path image = Golden.model("dinov2").resolve("image.png");
        List<TeacherPairs.Pair> pairs = List.of(new TeacherPairs.Pair(image, "a red car", "a car", "a blue car"));
        try (DiffusionModel teacher = teacher()) {
            List<TeacherCheck.Level> levels = TeacherCheckRun.of(
                    teacher, pairs, new TeacherCheckRun.Settings(64, 1, 1, 10, 900), null, done -> {});
            assertThat(levels).hasSize(2).allMatch(level -> level.full() == 0); // of no values
        }
    }

    @Test
    void captionsAreReadWhereTheModelsAreAndSummedHere() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Clip clip = Clip.load(Golden.model("clip-hf-vit"), Clip.Options.DEFAULT.withDevice("meta"));
                DiffusionModel teacher = teacher()) {
            for (AnchorTarget target : AnchorTarget.values()) {
                try (CaptionModels models = new CaptionModels(clip, teacher, target)) {
                    assertThat(models.conditions(List.of("a cat", "a dog")).is_cpu())
                            .isTrue();
                }
            }
        }
    }

    private static DiffusionModel teacher() {
        return DiffusionModel.load(Golden.model("sd21"), MetaDevice.placement(Precision.FP32, Activations.KEPT));
    }
}
