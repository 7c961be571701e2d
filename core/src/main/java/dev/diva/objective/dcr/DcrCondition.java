package dev.diva.objective.dcr;

import dev.diva.diffusion.Condition;
import dev.diva.engine.BatchDraws;
import dev.diva.feedback.ImageCondition;
import dev.diva.objective.MlpProjector;
import dev.diva.objective.TowerEmbedding;
import org.bytedeco.pytorch.Tensor;

/**
 * The projected class token, added to every token of the encoded empty prompt.
 *
 * @param text {@code DiffusionModel.encodeMaskedPrompt("")}, [1, tokens, width], owned by the caller
 */
public record DcrCondition(TowerEmbedding tower, MlpProjector projector, Tensor text) implements ImageCondition {
    @Override
    public Encoded encode(Tensor pixels, BatchDraws draws) {
        TowerEmbedding.Embedded embedded = tower.of(pixels, draws);
        Tensor each = projector.forward(embedded.embedding()).unsqueeze(1);
        return new Encoded(embedded.hidden(), Condition.of(text.add(each)));
    }

    @Override
    public void skip(BatchDraws draws) {
        tower.skip(draws);
    }

    @Override
    public void done() {
        tower.done();
    }
}
