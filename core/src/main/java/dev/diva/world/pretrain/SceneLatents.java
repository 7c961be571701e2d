package dev.diva.world.pretrain;

import dev.diva.data.SampleOrder;
import dev.diva.diffusion.Autoencoder;
import dev.diva.engine.Tensors;
import dev.diva.train.MicroBatch;
import dev.diva.train.MicroBatches;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** The latents of captioned scenes, each encoded when it is first asked for and then kept. */
final class SceneLatents {
    private final Autoencoder autoencoder;
    private final CaptionedScenes scenes;
    private final float[][] latents;
    private long[] shape = {}; // of one latent

    SceneLatents(Autoencoder autoencoder, CaptionedScenes scenes) {
        this.autoencoder = autoencoder;
        this.scenes = scenes;
        this.latents = new float[scenes.count()][];
    }

    int count() {
        return latents.length;
    }

    /** Clean latents of unit variance, [scenes, channels, height, width]. */
    Tensor of(int... indices) {
        encode(Arrays.stream(indices).filter(index -> latents[index] == null).toArray());
        int size = latents[indices[0]].length;
        float[] values = new float[indices.length * size];
        for (int i = 0; i < indices.length; i++) {
            System.arraycopy(latents[indices[i]], 0, values, i * size, size);
        }
        return Tensors.of(values, indices.length, shape[0], shape[1], shape[2]);
    }

    /** Batches in an order that follows from the seed; the crops of a batch are its latents. */
    MicroBatches batches(long seed, int batch) {
        SampleOrder order = new SampleOrder(count(), seed, true);
        return position -> {
            int[] indices = IntStream.range(0, batch)
                    .map(i -> order.index(position * batch + i))
                    .toArray();
            List<String> names =
                    Arrays.stream(indices).mapToObj(Integer::toString).toList();
            return MicroBatch.of(names, of(indices));
        };
    }

    private void encode(int[] missing) {
        if (missing.length == 0) {
            return;
        }
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor encoded = autoencoder.encode(MiniDiffusion.pixels(scenes.pixels(missing)));
            shape = Arrays.copyOfRange(encoded.shape(), 1, 4);
            float[] values = Tensors.toFloats(encoded);
            int size = values.length / missing.length;
            for (int i = 0; i < missing.length; i++) {
                latents[missing[i]] = Arrays.copyOfRange(values, i * size, (i + 1) * size);
            }
        }
    }
}
