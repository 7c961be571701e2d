package dev.diva.world.pretrain;

import dev.diva.diffusion.Autoencoder;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import java.util.List;
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

    /** Channels, height and width of a latent. */
    long[] shape() {
        if (shape.length == 0) {
            encode(0);
        }
        return shape.clone();
    }

    /** Clean latents of pictures of whole pixels, row by row, as {@link dev.diva.world.paint.SceneRenderer#rgb} gives them. */
    Tensor encoded(List<byte[]> pictures) {
        return autoencoder.encode(MiniDiffusion.pixels(
                scenes.tensor(pictures.stream().map(CaptionedScenes::planes).toList())));
    }

    private void encode(int... missing) {
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
