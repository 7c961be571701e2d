package dev.diva.world.pretrain;

import dev.diva.world.WorldRecipe;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** The captioned images of a world, painted once and kept in memory (side * side * 3 bytes each). */
final class CaptionedScenes {
    private final WorldRecipe recipe;
    private final SceneSampler sampler;
    private final List<Scene> scenes;
    private final List<byte[]> pixels; // each [3, side, side]

    /** Paints the pretraining scenes of the recipe, on all cores. */
    CaptionedScenes(WorldRecipe recipe) {
        this.recipe = recipe;
        this.sampler = new SceneSampler(recipe.seed(), Split.PRETRAIN);
        SceneRenderer renderer = new SceneRenderer(recipe.side());
        this.scenes = IntStream.range(0, recipe.pretrain())
                .parallel()
                .mapToObj(sampler::scene)
                .toList();
        this.pixels = scenes.parallelStream()
                .map(scene -> planes(renderer.rgb(scene)))
                .toList();
    }

    int count() {
        return scenes.size();
    }

    /** What the web says of an image. */
    String webCaption(int index) {
        return Captions.web(scenes.get(index), recipe.named(), sampler.stream("caption", index));
    }

    /** All that is to be said of an image. */
    String fullCaption(int index) {
        return Captions.full(scenes.get(index));
    }

    /** uint8 [images, 3, side, side]. */
    Tensor pixels(int[] indices) {
        int side = recipe.side();
        Tensor tensor =
                torch.empty(new long[] {indices.length, 3, side, side}, new TensorOptions(ScalarType.Byte), null);
        BytePointer data = new BytePointer(tensor.data_ptr());
        for (int i = 0; i < indices.length; i++) {
            byte[] image = pixels.get(indices[i]);
            data.position((long) i * image.length).put(image);
        }
        return tensor;
    }

    private static byte[] planes(byte[] rgb) {
        int area = rgb.length / 3;
        byte[] planes = new byte[rgb.length];
        for (int i = 0; i < area; i++) {
            for (int channel = 0; channel < 3; channel++) {
                planes[channel * area + i] = rgb[3 * i + channel];
            }
        }
        return planes;
    }
}
