package dev.diva.objective.genhancer;

import dev.diva.diffusion.Condition;
import dev.diva.engine.BatchDraws;
import dev.diva.feedback.ImageCondition;
import dev.diva.objective.MlpProjector;
import dev.diva.objective.TowerEmbedding;
import org.bytedeco.pytorch.Tensor;

/** The class token, projected to one token and to one vector. */
record GenHancerCondition(TowerEmbedding tower, MlpProjector vector, MlpProjector token) implements ImageCondition {
    @Override
    public Encoded encode(Tensor pixels, BatchDraws draws) {
        TowerEmbedding.Embedded embedded = tower.of(pixels, draws);
        Tensor tokens = token.forward(embedded.embedding()).unsqueeze(1);
        return new Encoded(embedded.hidden(), new Condition(tokens, vector.forward(embedded.embedding())));
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
