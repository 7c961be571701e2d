package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts at their own length against the same texts padded to the whole context, which is the plain way. */
class TextEncodingTest {
    private static final long START = 1000;
    private static final long END = 1001; // the highest id

    /** A few beginnings, many ends, lengths from 2 to the whole context, one text twice. */
    private static List<long[]> texts(long start, long end, int context) {
        List<long[]> texts = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            int shared = i % 3 * 4;
            int length = Math.min(context, 2 + shared + (i * 7) % 11 + (i % 50 == 49 ? context : 0));
            long[] ids = new long[context];
            ids[0] = start;
            for (int j = 1; j < length - 1; j++) {
                ids[j] = (j <= shared ? 20 + i % 3 : 30 + (i * 13 + j * 5) % 97) % start;
            }
            ids[length - 1] = end;
            texts.add(ids);
        }
        texts.add(texts.get(7));
        return texts;
    }

    @Tag("golden")
    @ParameterizedTest
    @ValueSource(strings = {"clip-hf-vit", "clip-hf-vit-gelu"})
    void embeddingsEqualThoseOfTheWholeContext(String name) {
        Golden golden = Golden.of(name);
        TextConfig config = HuggingFaceConfig.of(ConfigJson.read(golden.file("config.json")))
                .text();
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights =
                        Weights.frozen(SafetensorsFile.open(golden.file("model.safetensors")), Golden.placement())) {
            TextTower tower = new TextTower(weights, config);
            int context = config.contextLength();
            long last = config.transformer().vocabSize() - 1;
            long end = config.pooling() == TextConfig.Pooling.HIGHEST_ID ? last : config.eosTokenId();
            List<long[]> texts = texts(last - 1, end, context);
            long[] all = texts.stream().flatMapToLong(Arrays::stream).toArray();

            float[][] rows =
                    TextEncoding.run(tower, texts, 16 * context, embeddings -> Tensors.toFloats(unit(embeddings)));

            float[] plain = Tensors.toFloats(unit(tower.embedding(Tensors.of(all, texts.size(), context))));
            Close.assertClose(joined(rows), plain, 0, 1e-6);
        }
    }

    @Test
    void everyTextIsInOneBatchOfAGroupWhosePrefixItHas() {
        List<long[]> texts = cut(texts(START, END, 40));
        List<TextBatches.Group> groups = TextBatches.of(texts, 640);
        List<Integer> rows = new ArrayList<>();
        for (TextBatches.Group group : groups) {
            long[] first = texts.get(group.batches().get(0).rows()[0]);
            for (TextBatches.Batch batch : group.batches()) {
                int longest = 0;
                for (int row : batch.rows()) {
                    rows.add(row);
                    longest = Math.max(longest, texts.get(row).length);
                    assertThat(Arrays.copyOf(texts.get(row), group.prefix()))
                            .containsExactly(Arrays.copyOf(first, group.prefix()));
                    assertThat(texts.get(row).length).isGreaterThan(group.prefix());
                }
                assertThat(batch.length()).isEqualTo(longest);
                assertThat(batch.rows().length * (longest - group.prefix())).isLessThanOrEqualTo(640);
            }
        }
        assertThat(rows)
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, texts.size()).boxed().toList());
        assertThat(groups.stream().map(TextBatches.Group::prefix)).contains(1, 9);
    }

    @Test
    void templatesOfManyClassesAreRunOnce() {
        List<long[]> prompts = new ArrayList<>();
        for (int template = 0; template < 8; template++) {
            for (int name = 0; name < 200; name++) {
                prompts.add(new long[] {START, 10 + template, 11, 12, 13, 14, 100 + name, 15, END});
            }
        }
        long tokens = 0;
        for (TextBatches.Group group : TextBatches.of(prompts, 1232)) {
            tokens += group.prefix();
            for (TextBatches.Batch batch : group.batches()) {
                tokens += (long) batch.rows().length * (batch.length() - group.prefix());
            }
        }
        assertThat(tokens).isEqualTo(8 * 6 + 1600 * 3); // of 1,600 * 9 at their own length and 1,600 * 77 padded
    }

    @Test
    void noTextsGiveNoRows() {
        assertThat(TextBatches.of(List.of(), 77)).isEmpty();
    }

    private static Tensor unit(Tensor embeddings) {
        return embeddings.div(embeddings.norm(new ScalarOptional(new Scalar(2.0)), new long[] {-1}, true));
    }

    private static List<long[]> cut(List<long[]> texts) {
        return texts.stream()
                .map(ids -> Arrays.copyOf(
                        ids,
                        1 + (int) Arrays.stream(ids).takeWhile(id -> id != END).count()))
                .toList();
    }

    private static float[] joined(float[][] rows) {
        float[] all = new float[rows.length * rows[0].length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, all, i * rows[0].length, rows[0].length);
        }
        return all;
    }
}
