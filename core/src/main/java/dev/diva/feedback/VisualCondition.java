package dev.diva.feedback;

import dev.diva.BadInputException;
import dev.diva.clip.VisionTokens;
import dev.diva.clip.VisionTower;
import dev.diva.diffusion.Condition;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** What the diffusion model is told of an image: text(prompt) joined with projection(recap(tower(image))). */
public final class VisualCondition implements ImageCondition {
    private final VisionTower tower;
    private final Recap recap;
    private final Projection projection;
    private final Tensor text;
    private final Tensor pooledText; // or null
    private final TextJoin join;

    /** Of a teacher that is told tokens alone. */
    public VisualCondition(VisionTower tower, RecapSettings settings, Projection projection, Tensor text) {
        this(tower, settings, projection, Condition.of(text));
    }

    /**
     * Of an image the teacher is told tokens; what it is told of the prompt beside them, the vector of an SDXL, stays that of the prompt.
     *
     * @param prompt encoded, [1, text tokens, width], and its vector or null; owned by the caller
     * @throws BadInputException when the recap has not as many tokens as an element-wise join needs
     */
    public VisualCondition(VisionTower tower, RecapSettings settings, Projection projection, Condition prompt) {
        this.pooledText = prompt.vector();
        this.text = prompt.tokens();
        long patches = tower.config().numLocalTokens();
        this.tower = tower;
        this.recap = settings.recap(patches);
        this.projection = projection;
        this.join = settings.join();
        if (join == TextJoin.ELEMENTWISE && recap.numTokens(patches) != text.size(1)) {
            throw new BadInputException("recap gives " + recap.numTokens(patches) + " tokens and the prompt has "
                    + text.size(1)
                    + ", which cannot be added element by element; set recap.text to mean, or recap.count"
                    + " to " + (text.size(1) - 1));
        }
    }

    /** Everything of a condition that the denoising loss and its tests need. */
    public record Stages(Tensor hidden, Tensor recap, Tensor condition) {}

    /**
     * The road of a batch of images.
     *
     * @param pixels the tower's, [batch, 3, imageSize, imageSize]
     * @param draws random choices of the recap
     * @return last hidden states of the tower, chosen tokens [batch, tokens, tower width], condition [batch, tokens, teacher width]
     */
    public Stages of(Tensor pixels, BatchDraws draws) {
        Tensor hidden = tower.encode(pixels);
        VisionTokens tokens = tower.tokens(hidden);
        Tensor chosen = recap.select(tokens, draws);
        Tensor visual = projection.forward(chosen).reshape(chosen.size(0), -1, text.size(2));
        return new Stages(hidden, chosen, join.join(text, visual));
    }

    @Override
    public Encoded encode(Tensor pixels, BatchDraws draws) {
        Stages stages = of(pixels, draws);
        Tensor vector = pooledText == null ? null : pooledText.expand(pixels.size(0), -1);
        return new Encoded(stages.hidden(), new Condition(stages.condition(), vector));
    }

    @Override
    public void skip(BatchDraws draws) {
        long width = tower.config().projectionDim();
        recap.select(
                new VisionTokens(
                        torch.empty(0, width), torch.empty(0, tower.config().numLocalTokens(), width)),
                draws);
    }
}
