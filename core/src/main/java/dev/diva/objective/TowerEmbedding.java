package dev.diva.objective;

import dev.diva.checkpoint.AdapterDropout;
import dev.diva.clip.VisionTower;
import dev.diva.engine.BatchDraws;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

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

    /** @param pixels the tower's, [batch, 3, imageSize, imageSize] */
    public Embedded of(Tensor pixels, BatchDraws draws) {
        if (dropout != null) {
            dropout.begin(draws.randint(SEEDS));
        }
        Tensor hidden = tower.pooledStates(pixels);
        return new Embedded(hidden, tower.embedding(hidden));
    }

    /** Draws what {@link #of} would draw, and computes nothing. */
    public void skip(BatchDraws draws) {
        if (dropout != null) {
            draws.randint(SEEDS);
        }
    }

    /** Takes up the dropout of the last batch again, when it is run; empty where nothing is computed again. */
    public Optional<Runnable> asEncoded() {
        return Optional.ofNullable(dropout).flatMap(AdapterDropout::current);
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
