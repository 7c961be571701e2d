package dev.diva.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.clip.Clip;
import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SAN on two tiny CLIPs against its authors' code: every intermediate value and every label at the original size. */
@Tag("golden")
class SanForwardTest {
    @TempDir
    private Path temporary;

    private static final Golden GOLDEN = SanCase.golden();

    private static double tolerance() {
        return GOLDEN.json("case.json").path("tolerance_abs_fp32").asDouble();
    }

    @ParameterizedTest
    @ValueSource(strings = {"large", "base"})
    void everyValueIsThatOfTheAuthorsCode(String kind) {
        SanCase facts = new SanCase(kind);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Clip clip = Clip.load(facts.clip());
                San san = San.load(facts.san(), facts.settings(temporary), clip)) {
            float[][] classes = facts.classes(clip);
            Tensor vectors = TextClasses.withBackground(Tensors.ofRows(classes), san.background());
            Close.assertClose(vectors, GOLDEN.expected(kind + ".classes_with_background"), 0, tolerance());
            facts.runs().forEachRemaining(run -> check(kind + "." + run + ".", facts, run, san, classes, vectors));
        }
    }

    private static void check(String prefix, SanCase facts, String run, San san, float[][] classes, Tensor vectors) {
        List<RasterImage> images = facts.images(run);
        Tensor pixels = SanPixels.batch(images, san.clip().preprocessing());
        Map<String, Tensor> seen = new HashMap<>();
        seen.put("side_pixels", pixels);
        San.Output output = san.forward(pixels, vectors, List.of(san.shape().blocks()), seen::put)
                .get(0);
        seen.put("mask_logits", output.masks());
        seen.put("attention_bias", output.bias());
        seen.put("mask_embeddings", output.embeddings());
        seen.put("class_logits", output.classes());
        Tensor grid = seen.get("clip_pixels");
        long patch = san.clip().config().vision().patchSize();
        int compared = 0;
        for (var info : GOLDEN.expected().tensors()) {
            String name = info.name();
            if (!name.startsWith(prefix)
                    || name.contains(".close.")
                    || name.contains(".labels.")
                    || name.contains(".semantic.")) {
                continue;
            }
            Tensor actual = value(name.substring(prefix.length()), seen, grid.size(2) / patch, grid.size(3) / patch);
            Tensor expected = GOLDEN.expected(name);
            if (name.endsWith(".attention_mask")) {
                long queries = san.shape().queries();
                expected = expected.narrow(1, 0, queries).narrow(2, queries + 1, expected.size(2) - queries - 1);
            }
            Close.assertClose(actual, expected, 0, tolerance());
            compared++;
        }
        assertThat(compared).isGreaterThan(10);
        checkLabels(prefix, facts, run, images, pixels, output, classes);
    }

    private static Tensor value(String name, Map<String, Tensor> seen, long rows, long columns) {
        if (name.equals("attention_mask")) {
            return San.patchBias(seen.get("attention_bias"), rows, columns).flatten(0, 1);
        }
        if (!name.startsWith("clip.")) {
            return seen.get(name);
        }
        Tensor state = seen.get(name.replace("_cls_token", ""));
        return name.endsWith("_cls_token")
                ? state.narrow(1, 0, 1).transpose(0, 1)
                : state.narrow(1, 1, rows * columns)
                        .transpose(1, 2)
                        .reshape(state.size(0), state.size(2), rows, columns);
    }

    private static void checkLabels(
            String prefix,
            SanCase facts,
            String run,
            List<RasterImage> images,
            Tensor pixels,
            San.Output output,
            float[][] classes) {
        for (int i = 0; i < images.size(); i++) {
            int height = facts.sizes().path(run).path(i).path(0).asInt();
            int width = facts.sizes().path(run).path(i).path(1).asInt();
            RasterImage original = RasterImage.of(ColorMode.L, width, height, new byte[width * height]);
            LabelBands bands = SanSegmenter.bands(output.masks().select(0, i), pixels, images.get(i), original);
            Tensor votes = SanSegmenter.votes(output.classes().select(0, i));
            if (GOLDEN.expected().info(prefix + "semantic." + i) != null) {
                Tensor columns = bands.horizontal().tensor(0, width).t();
                Tensor semantic = votes.matmul(bands.band(0, height, columns).sigmoid());
                Tensor expected = GOLDEN.expected(prefix + "semantic." + i).flatten(1, 2);
                Close.assertClose(semantic, expected, 0, tolerance());
            }
            int[] labels = bands.labels(classes.length, masks -> votes.matmul(masks.sigmoid()));
            long[] expected = Tensors.toLongs(GOLDEN.expected(prefix + "labels." + i));
            long differing = 0;
            for (int p = 0; p < labels.length; p++) {
                differing += labels[p] == expected[p] ? 0 : 1;
            }
            assertThat(labels).hasSameSizeAs(expected);
            assertThat(differing).isLessThanOrEqualTo(Tensors.toLongs(GOLDEN.expected(prefix + "close." + i))[0]);
        }
    }
}
