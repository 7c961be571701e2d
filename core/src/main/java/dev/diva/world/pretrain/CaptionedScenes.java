package dev.diva.world.pretrain;

import dev.diva.world.WorldRecipe;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** The captioned images of a world, painted once and kept in memory (side * side * 3 bytes each). */
final class CaptionedScenes {
    private static final double HALF = 0.5;

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

    /** Some of what is to be said of an image: each fine attribute with probability one half. */
    String halfCaption(int index) {
        return Captions.web(scenes.get(index), HALF, sampler.stream("half caption", index));
    }

    /** Kinds and background alone. */
    String gistCaption(int index) {
        return Captions.gist(scenes.get(index));
    }

    /** All that is to be said of an image. */
    String fullCaption(int index) {
        return Captions.full(scenes.get(index));
    }

    /** uint8 [images, 3, side, side]. */
    Tensor pixels(int[] indices) {
        return tensor(Arrays.stream(indices).mapToObj(pixels::get).toList());
    }

    /** Planes of images as uint8 [images, 3, side, side]. */
    Tensor tensor(List<byte[]> planes) {
        int side = recipe.side();
        Tensor tensor =
                torch.empty(new long[] {planes.size(), 3, side, side}, new TensorOptions(ScalarType.Byte), null);
        BytePointer data = new BytePointer(tensor.data_ptr());
        for (int i = 0; i < planes.size(); i++) {
            byte[] image = planes.get(i);
            data.position((long) i * image.length).put(image);
        }
        return tensor;
    }

    static byte[] planes(byte[] rgb) {
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
