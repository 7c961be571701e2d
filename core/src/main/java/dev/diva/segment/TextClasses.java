package dev.diva.segment;

import dev.diva.clip.Clip;
import dev.diva.engine.Kernels;
import dev.diva.engine.Tensors;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Feature;
import dev.diva.eval.PromptEnsemble;
import dev.diva.eval.segmentation.ClassNames;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Names of classes as vectors: the mean of 14 prompts, each of length 1, then of length 1 itself. */
public final class TextClasses {
    /** ViLD's prompts for single names, as SAN uses them: four of them end without a full stop. */
    static final List<String> TEMPLATES = Stream.concat(
                    Stream.of(
                            "a photo of a {c}.",
                            "This is a photo of a {c}",
                            "There is a {c} in the scene",
                            "There is the {c} in the scene",
                            "a photo of a {c} in the scene"),
                    Stream.of("a photo of a %s {c}.", "This is a photo of a %s {c}.", "There is a %s {c} in the scene.")
                            .flatMap(text -> Stream.of("small", "medium", "large")
                                    .map(size -> String.format(Locale.ROOT, text, size))))
            .toList();

    private final PromptEnsemble prompts = new PromptEnsemble();

    /**
     * Unit vectors [classes, embedding]; those of a text tower are computed once, and its memory is given up: pictures follow.
     *
     * @throws dev.diva.BadInputException for no class, an empty name, or a name that is given twice
     */
    public float[][] vectors(Clip clip, List<String> names) {
        ClassNames.require(names, "classes");
        float[][] vectors = prompts.classVectors(new ClipEncoder("", clip, Feature.ZERO_SHOT), names, TEMPLATES);
        clip.releaseTexts();
        return vectors;
    }

    /** Classes with a background behind them, [classes + 1, embedding]; all of length 1. */
    public static Tensor withBackground(Tensor classes, Tensor background) {
        return Kernels.unit(torch.cat(
                new TensorVector(Tensors.onto(classes, background.device(), classes.scalar_type()), background), 0));
    }
}
