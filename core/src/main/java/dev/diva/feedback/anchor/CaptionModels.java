package dev.diva.feedback.anchor;

import dev.diva.clip.Clip;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.PromptStates;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A CLIP's text tower and a teacher's text encoder. */
public final class CaptionModels implements Captioner, AutoCloseable {
    private static final int AT_ONCE = 32; // captions of full length in the teacher's encoder

    private final Clip clip;
    private final PromptStates prompts;
    private final AnchorTarget target;

    /**
     * @param clip stays the caller's
     * @param teacher stays the caller's
     * @throws dev.diva.BadInputException when the teacher has no text encoder
     */
    public CaptionModels(Clip clip, DiffusionModel teacher, AnchorTarget target) {
        this.clip = clip;
        this.target = target;
        this.prompts = teacher.prompts();
    }

    @Override
    public Tensor embeddings(List<String> captions) {
        return Tensors.ofRows(clip.encodeTexts(captions));
    }

    @Override
    public Tensor conditions(List<String> captions) {
        List<Tensor> parts = new ArrayList<>();
        for (int from = 0; from < captions.size(); from += AT_ONCE) {
            parts.add(target.of(prompts.of(captions.subList(from, Math.min(captions.size(), from + AT_ONCE)))));
        }
        return Tensors.here(torch.cat(new TensorVector(parts.toArray(Tensor[]::new))));
    }

    @Override
    public void close() {
        prompts.close();
    }
}
