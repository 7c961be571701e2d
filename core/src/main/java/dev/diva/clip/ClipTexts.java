package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ReadSource;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.model.Tokenizer;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;

/**
 * The text side of a CLIP: tower and tokenizer, each read when it is asked for first. The tower can be given up and is read again then. For
 * one thread at a time.
 */
final class ClipTexts implements AutoCloseable {
    private final TextConfig config; // null without a tower
    private final ClipFiles files;
    private final TensorSource stored;
    private final Placement placement;
    private final int batchSize;
    private Weights weights; // of the tower, or null
    private TextTower tower;
    private Tokenizer tokenizer;
    private String digest;

    /** @param stored the checkpoint, which has been checked; the caller's */
    ClipTexts(ClipConfig config, ClipFiles files, TensorSource stored, Placement placement, int batchSize) {
        this.config = config.hasText() ? config.text() : null;
        this.files = files;
        this.stored = stored;
        this.placement = placement;
        this.batchSize = batchSize;
    }

    /**
     * A row per text.
     *
     * @param ids a row of contextLength ids per text
     * @param scaled embeddings [texts, width] as they are handed out
     */
    float[][] encode(List<long[]> ids, UnaryOperator<Tensor> scaled) {
        TextTower ready = tower();
        Function<Tensor, float[]> values =
                embeddings -> BrokenWeights.requireNumbers(scaled.apply(embeddings), weights);
        if (config.hasClassToken()) {
            return ClassTokenEncoding.run(ready, ids, batchSize, values);
        }
        if (ready.isCausal()) {
            return TextEncoding.run(ready, ids, batchSize * config.contextLength(), values);
        }
        return new Batches(weights, batchSize)
                .run(ids.size(), (from, to) -> scaled.apply(ready.embedding(Batches.texts(ids.subList(from, to)))));
    }

    Tokenizer tokenizer() {
        requireText();
        if (tokenizer == null) {
            tokenizer = files.tokenizer(config);
        }
        return tokenizer;
    }

    /** Names the tower by its content. */
    String digest(String reading) {
        requireText();
        if (digest == null) {
            tower();
            digest = TowerDigest.ofTexts(weights.tensors(), reading);
        }
        return digest;
    }

    private TextTower tower() {
        requireText();
        if (tower == null) {
            weights = Weights.frozen(new ReadSource(stored), placement);
            tower = new TextTower(weights, config);
        }
        return tower;
    }

    private void requireText() {
        if (config == null) {
            throw new BadInputException(stored.location() + ": has no text tower");
        }
    }

    /** Gives the memory of the tower back to the system until it is asked for again. */
    void release() {
        if (weights != null) {
            weights.close();
            Pointer.trimMemory(); // malloc would keep it
        }
        weights = null;
        tower = null;
    }

    @Override
    public void close() {
        release();
        if (tokenizer != null) {
            tokenizer.close();
        }
    }
}
