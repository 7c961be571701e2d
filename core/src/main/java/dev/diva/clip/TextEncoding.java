package dev.diva.clip;

import dev.diva.engine.Tensors;
import dev.diva.model.TextTransformer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Embeddings of texts by a causal tower, which needs no position behind the token that it pools: texts are run at that length, nearly equal
 * ones together, and what many begin with once.
 */
final class TextEncoding {
    private final TextTower tower;
    private final List<long[]> texts;
    private final float[][] rows;

    private TextEncoding(TextTower tower, List<long[]> texts) {
        this.tower = tower;
        this.texts = texts;
        this.rows = new float[texts.size()][];
    }

    /**
     * A row of values per text.
     *
     * @param ids padded ids of each text
     * @param maxTokens computed at once
     * @param values of embeddings [batch, width]
     */
    static float[][] run(TextTower tower, List<long[]> ids, int maxTokens, Function<Tensor, float[]> values) {
        List<long[]> texts = ids.stream()
                .map(row -> Arrays.copyOf(row, tower.pooledPosition(row) + 1))
                .toList();
        TextEncoding encoding = new TextEncoding(tower, texts);
        for (TextBatches.Group group : TextBatches.of(texts, maxTokens)) {
            encoding.run(group, values);
        }
        return encoding.rows;
    }

    private void run(TextBatches.Group group, Function<Tensor, float[]> values) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long[] begin = Arrays.copyOf(texts.get(group.batches().get(0).rows()[0]), group.prefix());
            TextTransformer.Prefix prefix = tower.prefix(begin);
            for (TextBatches.Batch batch : group.batches()) {
                try (PointerScope ofBatch = new PointerScope()) {
                    store(batch.rows(), values.apply(embedding(batch, group.prefix(), prefix)));
                }
            }
        }
    }

    private Tensor embedding(TextBatches.Batch batch, int before, TextTransformer.Prefix prefix) {
        int count = batch.rows().length;
        int length = batch.length() - before;
        long[] ids = new long[count * length];
        long[] positions = new long[count];
        for (int i = 0; i < count; i++) {
            long[] text = texts.get(batch.rows()[i]);
            int own = text.length - before;
            positions[i] = own - 1L;
            System.arraycopy(text, before, ids, i * length, own);
        }
        return tower.embedding(Tensors.of(ids, count, length), Tensors.of(positions, count), prefix);
    }

    private void store(int[] places, float[] values) {
        int width = values.length / places.length;
        for (int i = 0; i < places.length; i++) {
            rows[places[i]] = Arrays.copyOfRange(values, i * width, (i + 1) * width);
        }
    }
}
