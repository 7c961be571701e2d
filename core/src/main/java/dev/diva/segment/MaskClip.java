package dev.diva.segment;

import dev.diva.clip.Clip;
import dev.diva.data.Filter;
import dev.diva.data.Normalize;
import dev.diva.data.RasterImage;
import dev.diva.data.Resampler;
import dev.diva.engine.Kernels;
import dev.diva.engine.Tensors;
import dev.diva.eval.segmentation.Segmenter;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Segmentation without training, after MaskCLIP (ECCV 2022, arXiv 2112.01071): patches through the value path of the last attention,
 * compared with the class vectors, the cosines resized bilinearly to the picture. The picture keeps its aspect; its short edge becomes
 * twice the tower's own size, whole patches.
 *
 * @param classes unit vectors [classes, embedding]
 */
public record MaskClip(Clip clip, float[][] classes) implements Segmenter {
    private static final int LONGEST = 4; // long edge, in short edges

    @Override
    public int[] labels(RasterImage image) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor cosines = cosines(image);
            int rows = Math.toIntExact(cosines.size(1));
            int columns = Math.toIntExact(cosines.size(2));
            return new LabelBands(
                            cosines, BilinearRows.of(rows, image.height()), BilinearRows.of(columns, image.width()))
                    .labels(classes.length, band -> band);
        }
    }

    /** The cosine of every patch of a picture with every class. */
    public HeatMap[] maps(RasterImage image) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor cosines = cosines(image);
            HeatMap[] maps = new HeatMap[classes.length];
            for (int i = 0; i < maps.length; i++) {
                maps[i] = new HeatMap(
                        Math.toIntExact(cosines.size(1)),
                        Math.toIntExact(cosines.size(2)),
                        Tensors.toFloats(cosines.select(0, i)));
            }
            return maps;
        }
    }

    /** [classes, rows, columns]. */
    private Tensor cosines(RasterImage image) {
        int patch = Math.toIntExact(clip.config().vision().patchSize());
        int edge = Math.toIntExact(2 * clip.config().vision().imageSize());
        double scale = (double) edge / Math.min(image.width(), image.height());
        int columns = patches(image.width() * scale, edge, patch);
        int rows = patches(image.height() * scale, edge, patch);
        RasterImage resized = Resampler.resize(image.toRgb(), columns * patch, rows * patch, Filter.BICUBIC);
        return ofPatches(resized).view(classes.length, rows, columns);
    }

    private static int patches(double size, int edge, int patch) {
        return (int) Math.max(1, Math.round(Math.min(size, (double) LONGEST * edge) / patch));
    }

    /** [classes, patches]. */
    private Tensor ofPatches(RasterImage image) {
        float[] pixels = Normalize.toChw(
                image, clip.preprocessing().mean(), clip.preprocessing().std());
        Tensor batch = Tensors.of(pixels, 1, 3, image.height(), image.width());
        Tensor embedded =
                clip.visionTower().embedAnySize(batch, clip.visionTower().positionTable());
        Tensor local = clip.visionTower().valuePath(embedded).to(ScalarType.Float);
        clip.requireFinite(local);
        return Tensors.onto(Tensors.ofRows(classes), local.device(), ScalarType.Float)
                .matmul(Kernels.unit(local.select(0, 0)).t());
    }
}
