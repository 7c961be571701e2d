package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.model.Tokenizer;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** The text side of a CLIP: tower and tokenizer, each read when it is asked for first. For one thread at a time. */
final class ClipTexts implements AutoCloseable {
    private final TextConfig config; // null without a tower
    private final ClipFiles files;
    private final Batches batches;
    private TextTower tower;
    private Tokenizer tokenizer;
    private String digest;

    ClipTexts(ClipConfig config, ClipFiles files, Batches batches) {
        this.config = config.hasText() ? config.text() : null;
        this.files = files;
        this.batches = batches;
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
                embeddings -> BrokenWeights.requireNumbers(scaled.apply(embeddings), batches.weights());
        if (config.hasClassToken()) {
            return ClassTokenEncoding.run(ready, ids, batches.size(), values);
        }
        if (ready.isCausal()) {
            return TextEncoding.run(ready, ids, batches.size() * config.contextLength(), values);
        }
        return batches.run(
                ids.size(), (from, to) -> scaled.apply(ready.embedding(Batches.texts(ids.subList(from, to)))));
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
        tower();
        if (digest == null) {
            digest = TowerDigest.ofTexts(batches.weights().tensors(), reading);
        }
        return digest;
    }

    private TextTower tower() {
        requireText();
        if (tower == null) {
            tower = new TextTower(batches.weights(), config);
        }
        return tower;
    }

    private void requireText() {
        if (config == null) {
            throw new BadInputException(batches.weights().location() + ": has no text tower");
        }
    }

    @Override
    public void close() {
        if (tokenizer != null) {
            tokenizer.close();
        }
    }
}
