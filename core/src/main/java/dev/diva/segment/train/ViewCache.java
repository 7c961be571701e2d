package dev.diva.segment.train;

import dev.diva.Sha256;
import dev.diva.checkpoint.TensorCache;
import dev.diva.engine.Precision;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.model.KeyValues;
import dev.diva.model.TransformerConfig;
import dev.diva.segment.ClipView;
import dev.diva.segment.San;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What CLIP sees in crops, on disk: each crop's maps, class token, keys and values as one row of fp32 under the SHA-256 of its pixels, so
 * that a training with a frozen table of positions runs CLIP once for each crop. Crops are seen one at a time, whether kept or not: the
 * numbers do not depend on who shares a batch.
 */
final class ViewCache implements AutoCloseable {
    private static final int SHARD = 16; // a row of L/14 at 640 pixels takes 67 MB

    private final San san;
    private final ScalarType type;
    private final TensorCache rows;

    /** @param precision of CLIP */
    ViewCache(Path folder, San san, Precision precision) {
        this.san = san;
        this.type = precision.dtype();
        String maker = san.clip().imageTower() + " " + san.settings().clipResolution() + " "
                + san.settings().fusion() + " " + san.settings().recognitionLayer() + " " + precision + " "
                + Arrays.toString(san.clip().preprocessing().mean())
                + Arrays.toString(san.clip().preprocessing().std())
                + Sha256.of(positions(san));
        this.rows = new TensorCache(folder, Sha256.of(maker.getBytes(StandardCharsets.UTF_8)), "views", SHARD);
    }

    private static byte[] positions(San san) {
        float[] values = Tensors.toFloats(san.positions());
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    /**
     * What CLIP sees.
     *
     * @param keys of the crops
     * @param pixels [batch, 3, crop, crop]
     */
    ClipView of(List<String> keys, Tensor pixels) {
        List<Tensor> all = new ArrayList<>();
        Shape shape = Shape.of(san, pixels);
        for (int i = 0; i < keys.size(); i++) {
            Tensor known = rows.get(keys.get(i));
            if (known == null) {
                known = seen(pixels.narrow(0, i, 1));
                rows.put(keys.get(i), known);
            }
            all.add(known);
        }
        Tensor stacked = torch.stack(new TensorVector(all.toArray(Tensor[]::new)));
        return shape.view(Tensors.onto(stacked, san.positions().device(), ScalarType.Float), type);
    }

    private Tensor seen(Tensor pixels) {
        return Scopes.returning(() -> {
            try (NoGradGuard noGrad = new NoGradGuard()) {
                ClipView view = san.view(pixels);
                TensorVector parts = new TensorVector();
                view.maps().values().forEach(map -> parts.push_back(map.flatten()));
                parts.push_back(view.classToken().flatten().to(ScalarType.Float));
                for (KeyValues layer : view.patches()) {
                    parts.push_back(layer.keys().flatten().to(ScalarType.Float));
                    parts.push_back(layer.values().flatten().to(ScalarType.Float));
                }
                return Tensors.here(torch.cat(parts, 0));
            }
        });
    }

    /** Where the parts of a row are. */
    private record Shape(List<Integer> blocks, long width, long heads, int layers, long rows, long columns) {
        static Shape of(San san, Tensor pixels) {
            long[] grid = san.grid(pixels.size(2), pixels.size(3));
            TransformerConfig layers = san.clip().config().vision().transformer();
            return new Shape(
                    List.copyOf(san.settings().fusion().keySet()),
                    layers.hiddenSize(),
                    layers.numAttentionHeads(),
                    layers.numHiddenLayers() - san.settings().recognitionLayer(),
                    grid[0],
                    grid[1]);
        }

        /** [batch, all] as a view. */
        ClipView view(Tensor all, ScalarType type) {
            long batch = all.size(0);
            long count = rows * columns;
            long at = 0;
            Map<Integer, Tensor> maps = new TreeMap<>();
            for (int block : blocks) {
                maps.put(block, all.narrow(1, at, width * count).reshape(batch, width, rows, columns));
                at += width * count;
            }
            Tensor classToken =
                    all.narrow(1, at, width).reshape(batch, 1, width).to(type);
            at += width;
            List<KeyValues> patches = new ArrayList<>();
            for (int layer = 0; layer < layers; layer++) {
                Tensor keys = heads(all, at, count, type);
                Tensor values = heads(all, at + width * count, count, type);
                patches.add(new KeyValues(keys, values));
                at += 2 * width * count;
            }
            return new ClipView(maps, classToken, patches, rows, columns);
        }

        private Tensor heads(Tensor all, long at, long count, ScalarType type) {
            return all.narrow(1, at, width * count)
                    .reshape(all.size(0), heads, count, width / heads)
                    .to(type);
        }
    }

    /** Shards that could not be read. */
    List<String> damaged() {
        return rows.damaged();
    }

    @Override
    public void close() {
        rows.close();
    }
}
