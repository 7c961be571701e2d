package dev.diva.posttrain.run;

import dev.diva.BadInputException;
import dev.diva.clip.PixelBatch;
import dev.diva.clip.VisionModel;
import dev.diva.clip.VisionTower;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageSet;
import dev.diva.engine.Tensors;
import dev.diva.feedback.EmbeddingCenter;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.global.torch;

/** Where a tower's embeddings of a run's images lie: measured on the first of them that can be read, so that every start of the run finds the same. */
final class ImageCenter {
    private static final int IMAGES = 512;
    private static final int AT_ONCE = 32;
    private static final int FEWEST = 2;

    private ImageCenter() {}

    /** @throws BadInputException when there are not two images that can be told apart */
    static EmbeddingCenter of(VisionModel vision, ImageSet images) {
        List<float[]> embeddings = new ArrayList<>();
        List<float[]> pixels = new ArrayList<>();
        int atOnce = vision.tower().config().form().flexible() ? 1 : AT_ONCE;
        for (ImageEntry entry : images.entries()) {
            if (embeddings.size() + pixels.size() == IMAGES) {
                break;
            }
            try {
                pixels.add(
                        vision.preprocessing().pixels(ImageDecoder.reference().decode(entry.read(), entry.name())));
            } catch (BadInputException e) {
                continue; // counted when it is trained on
            }
            if (pixels.size() == atOnce) {
                embed(vision.tower(), pixels, embeddings);
            }
        }
        if (!pixels.isEmpty()) {
            embed(vision.tower(), pixels, embeddings);
        }
        if (embeddings.size() < FEWEST) {
            throw new BadInputException(
                    "recipe: projection.init is anchored in texts and has no centre of image embeddings,"
                            + " and of images only " + embeddings.size() + " can be read; give more images");
        }
        return EmbeddingCenter.of(embeddings);
    }

    private static void embed(VisionTower tower, List<float[]> pixels, List<float[]> embeddings) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            float[] values = Tensors.toFloats(
                    tower.embeddingOf(PixelBatch.of(tower.config(), pixels)).to(torch.kFloat()));
            int width = values.length / pixels.size();
            for (int i = 0; i < pixels.size(); i++) {
                embeddings.add(unit(values, i * width, width));
            }
        }
        pixels.clear();
    }

    private static float[] unit(float[] values, int from, int width) {
        double squares = 0;
        for (int i = 0; i < width; i++) {
            squares += (double) values[from + i] * values[from + i];
        }
        float[] row = new float[width];
        for (int i = 0; i < width; i++) {
            row[i] = (float) (values[from + i] / Math.sqrt(squares));
        }
        return row;
    }
}
