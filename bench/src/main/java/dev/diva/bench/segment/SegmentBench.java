package dev.diva.bench.segment;

import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.clip.Clip;
import dev.diva.data.RasterImage;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.segment.San;
import dev.diva.segment.SanPixels;
import dev.diva.segment.SanSegmenter;
import dev.diva.segment.TextClasses;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Names the pixels of a picture, whose short edge is that of the SAN, by 150 classes: {@code CLIP SAN PICTURE fp32|bf16 THREADS REPEATS OUT}.
 * Prints the seconds as JSON; writes logits and labels.
 */
public final class SegmentBench {
    private static final int CLASSES = 150;

    private SegmentBench() {}

    public static void main(String[] args) {
        Precision precision = Precision.valueOf(args[3].toUpperCase(Locale.ROOT));
        Clip.Options options = new Clip.Options(precision, Integer.parseInt(args[4]), 16, null);
        RasterImage picture = SegmentationSet.image(Path.of(args[2]));
        List<String> names =
                IntStream.range(0, CLASSES).mapToObj(k -> "thing " + k).toList();
        try (Clip clip = Clip.load(Path.of(args[0]), options);
                San san = San.load(Path.of(args[1]), null, clip)) {
            float[][] classes = new TextClasses().vectors(clip, names);
            SanSegmenter segmenter = new SanSegmenter(san, classes);
            segmenter.labels(picture);
            double[] seconds = new double[Integer.parseInt(args[5])];
            for (int i = 0; i < seconds.length; i++) {
                long start = System.nanoTime();
                segmenter.labels(picture);
                seconds[i] = (System.nanoTime() - start) / 1e9;
            }
            write(san, classes, picture, segmenter.labels(picture), Path.of(args[6]));
            System.out.println("{\"seconds\": " + Arrays.toString(seconds) + "}");
        }
    }

    private static void write(San san, float[][] classes, RasterImage picture, int[] labels, Path file) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            San.Output output = san.forward(
                    SanPixels.batch(List.of(picture), san.clip().preprocessing()),
                    TextClasses.withBackground(Tensors.ofRows(classes), san.background()));
            long[] values = Arrays.stream(labels).asLongStream().toArray();
            SafetensorsWriter.write(
                    file,
                    Map.of(
                            "classes",
                            output.classes().select(0, 0).contiguous(),
                            "masks",
                            output.masks().select(0, 0).contiguous(),
                            "labels",
                            Tensors.of(values, picture.height(), picture.width())
                                    .to(ScalarType.Int)),
                    Map.of());
        }
    }
}
