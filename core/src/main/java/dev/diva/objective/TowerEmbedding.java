package dev.diva.objective;

import dev.diva.checkpoint.AdapterDropout;
import dev.diva.clip.VisionTower;
import dev.diva.engine.BatchDraws;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The embedding of images that is compared with texts, not divided by its norm, by a tower whose adapters may drop out.
 *
 * @param tower gives the embeddings
 * @param dropout of its adapters, or null for none
 */
public record TowerEmbedding(VisionTower tower, AdapterDropout dropout) {
    private static final long SEEDS = Long.MAX_VALUE;

    /**
     * A batch of images.
     *
     * @param hidden states of the tower that the embedding is made of
     * @param embedding [batch, width]
     */
    public record Embedded(Tensor hidden, Tensor embedding) {}

    /**
     * Of a batch, or of several views of one, for each of which is drawn.
     *
     * @param pixels the tower's, [views * batch, 3, imageSize, imageSize]
     */
    public Embedded of(Tensor pixels, BatchDraws draws) {
        if (dropout != null) {
            TensorVector seeds = new TensorVector();
            for (long rows = 0; rows < pixels.size(0); rows += seeds.back().size(0)) {
                seeds.push_back(draws.randint(SEEDS));
            }
            dropout.begin(torch.cat(seeds, 0));
        }
        Tensor hidden = tower.pooledStates(pixels);
        return new Embedded(hidden, tower.embedding(hidden));
    }

    /** Draws what {@link #of} would draw for one view, and computes nothing. */
    public void skip(BatchDraws draws) {
        if (dropout != null) {
            draws.randint(SEEDS);
        }
    }

    /** Ends the dropout of the last batch, whose backward pass is over. */
    public void done() {
        if (dropout != null) {
            dropout.end();
        }
    }

    /** Width of an embedding. */
    public long width() {
        return tower.config().projectionDim();
    }
}
