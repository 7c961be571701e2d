package dev.diva.clip;

import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Embeddings of texts by a tower with a class token behind them (CoCa). Tokens that nothing sees are left out, so that texts are run at their
 * own length, those of which the same places are seen together.
 */
final class ClassTokenEncoding {
    private final TextTower tower;
    private final List<long[]> texts;
    private final float[][] rows;

    /**
     * What the class token of a text attends to.
     *
     * @param places of the tokens, in order
     * @param itself whether it is among them
     */
    private record Seen(List<Integer> places, boolean itself) {
        static Seen of(long[] ids, long padId) {
            List<Integer> places = IntStream.range(0, ids.length)
                    .filter(i -> i == 0 || ids[i - 1] != padId)
                    .boxed()
                    .toList();
            return new Seen(places, ids[ids.length - 1] != padId);
        }
    }

    private ClassTokenEncoding(TextTower tower, List<long[]> texts) {
        this.tower = tower;
        this.texts = texts;
        this.rows = new float[texts.size()][];
    }

    /**
     * A row of values per text.
     *
     * @param ids padded ids of each text
     * @param size texts computed at once
     * @param values of embeddings [batch, width]
     */
    static float[][] run(TextTower tower, List<long[]> ids, int size, Function<Tensor, float[]> values) {
        ClassTokenEncoding encoding = new ClassTokenEncoding(tower, ids);
        Map<Seen, List<Integer>> alike = new LinkedHashMap<>();
        for (int i = 0; i < ids.size(); i++) {
            Seen seen = Seen.of(ids.get(i), tower.config().padTokenId());
            alike.computeIfAbsent(seen, key -> new ArrayList<>()).add(i);
        }
        alike.forEach((seen, places) -> {
            for (int from = 0; from < places.size(); from += size) {
                encoding.run(seen, places.subList(from, Math.min(places.size(), from + size)), values);
            }
        });
        return encoding.rows;
    }

    private void run(Seen seen, List<Integer> batch, Function<Tensor, float[]> values) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            long[] ids = batch.stream()
                    .flatMapToLong(row -> seen.places.stream().mapToLong(place -> texts.get(row)[place]))
                    .toArray();
            long[] places = seen.places.stream().mapToLong(Integer::longValue).toArray();
            float[] all = values.apply(tower.embeddingBehind(
                    Tensors.of(ids, batch.size(), places.length), Tensors.of(places, places.length), seen.itself));
            int width = all.length / batch.size();
            for (int i = 0; i < batch.size(); i++) {
                rows[batch.get(i)] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
            }
        }
    }
}
