package dev.diva.segment.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.clip.Clip;
import dev.diva.data.RasterImage;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.segment.ClipView;
import dev.diva.segment.MaskClip;
import dev.diva.segment.San;
import dev.diva.segment.SanCase;
import dev.diva.segment.SanPixels;
import dev.diva.segment.SanSegmenter;
import dev.diva.segment.SanSettings;
import dev.diva.testing.Golden;
import dev.diva.testing.MetaDevice;
import dev.diva.testing.Rasters;
import dev.diva.train.AdamW;
import dev.diva.train.Contribution;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A step of SAN with both networks, gradients and optimiser on another device than the processor, its batch as it comes from files. */
class SanDeviceTest {
    private static final int POINTS = 20;
    private static final int IGNORED = 255;

    @TempDir
    private Path folder;

    @Test
    void aStepStaysWhereTheModelsAre() {
        SanCase large = new SanCase("large");
        SanSettings settings = SanSettings.read(large.settings(folder));
        Clip.Options elsewhere = Clip.Options.DEFAULT.withDevice("meta");
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(large.clip(), elsewhere);
                San san = San.trained(large.san(), 0, settings, null, clip, true);
                AdamW optimizer = new AdamW(0.9, 0.999, 1e-8, 0.1)) {
            float[][] classes = new float[3][(int) clip.config().vision().projectionDim()];
            new SanObjective(san, true, Tensors.ofRows(classes), new SanLoss(POINTS), SanObjective.seeded(1))
                    .backward(batch(clip), new RandomStreams(1), Contribution.of(1, 1));
            MetaDevice.requireGradients(san.parameters());
            optimizer.update(san.parameters(), name -> 0.1, 0.5);
            assertThat(optimizer.state().values()).anyMatch(Tensor::is_meta);
        }
    }

    /** Embeddings of images and texts, which are read as zeros. */
    @Test
    void bothTowersStayWhereTheyAre() {
        Clip.Options elsewhere = Clip.Options.DEFAULT.withDevice("meta");
        for (String model : List.of("clip-hf-vit", "siglip-hf")) {
            try (PointerScope scope = new PointerScope();
                    Clip clip = Clip.load(Golden.model(model), elsewhere)) {
                float[] pixels = clip.preprocessing().pixels(images().get(0));
                assertThat(clip.encodeImages(List.of(pixels), Clip.Scale.RAW)[0])
                        .containsOnly(0);
                assertThat(clip.encodeTexts(List.of("a cat", "a photo of two dogs"), Clip.Scale.RAW)[1])
                        .containsOnly(0);
            }
        }
    }

    /** Whole pictures, named by zeros: all pixels are of the first class. */
    @Test
    void segmentersStayWhereTheModelsAre() {
        SanCase large = new SanCase("large");
        SanSettings settings = SanSettings.read(large.settings(folder));
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Clip clip = Clip.load(large.clip(), Clip.Options.DEFAULT.withDevice("meta"));
                San san = San.trained(large.san(), 0, settings, null, clip, true)) {
            float[][] classes = new float[3][(int) clip.config().vision().projectionDim()];
            RasterImage image = images().get(0);
            assertThat(new MaskClip(clip, classes).labels(image)).containsOnly(0);
            assertThat(new SanSegmenter(san, classes).labels(image)).containsOnly(0);
        }
    }

    /** What is kept lies on the processor, what is given where the models are. */
    @Test
    void whatClipSeesIsGivenWhereTheModelsAre() {
        SanCase large = new SanCase("large");
        SanSettings settings = SanSettings.read(large.settings(folder));
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(large.clip(), Clip.Options.DEFAULT.withDevice("meta"));
                San san = San.trained(large.san(), 0, settings, null, clip, false);
                ViewCache cache = new ViewCache(folder.resolve("views"), san, Precision.FP32)) {
            Tensor pixels = SanPixels.batch(List.of(images().get(0)), clip.preprocessing());
            for (int time = 0; time < 2; time++) {
                ClipView view = cache.of(List.of("a".repeat(64)), pixels);
                assertThat(view.classToken().is_meta()).isTrue();
                assertThat(view.maps().values()).allMatch(Tensor::is_meta);
                assertThat(view.patches())
                        .allMatch(layer ->
                                layer.keys().is_meta() && layer.values().is_meta());
            }
        }
    }

    private static List<RasterImage> images() {
        return Rasters.of(Golden.resource("san-train").input("images_u8"));
    }

    /** One picture whose upper half is class 0, the rest class 2. */
    private static SanBatch batch(Clip clip) {
        RasterImage image = images().get(0);
        int[] labels = new int[image.width() * image.height()];
        Arrays.fill(labels, labels.length / 2, labels.length, 2);
        Target target = Target.of(labels, image.width(), IGNORED);
        return new SanBatch(
                List.of("a"),
                SanPixels.batch(List.of(image), clip.preprocessing()),
                null,
                List.of(target),
                target.count(),
                0);
    }
}
