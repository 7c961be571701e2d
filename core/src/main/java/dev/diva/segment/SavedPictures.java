package dev.diva.segment;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.data.PngFile;
import dev.diva.data.RasterImage;
import dev.diva.eval.segmentation.SegmentationRun;
import dev.diva.eval.segmentation.SegmentationSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * The coloured pictures of a model on a set, a PNG each.
 *
 * @param folder where they go
 */
public record SavedPictures(SegmentationSet set, Path folder) implements SegmentationRun.Pictures {
    private Path file(SegmentationSet.Pair pair) {
        return folder.resolve(pair.name() + ".png");
    }

    @Override
    public boolean wants(SegmentationSet.Pair pair) {
        return !Files.exists(file(pair));
    }

    @Override
    public void take(SegmentationSet.Pair pair, RasterImage image, int... labels) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be made: " + e.getMessage(), e);
        }
        AtomicFile.write(
                file(pair), PngFile.bytes(Overlay.draw(image, set.layout().classes(), labels)));
    }

    /**
     * The files that show a picture: itself, its truth, of the first model and of this one.
     *
     * @param first pictures of the model that this one is compared with
     * @param truthFolder where the truth of a picture is drawn when it is asked for
     */
    public Function<SegmentationSet.Pair, List<Path>> beside(SavedPictures first, Path truthFolder) {
        SavedPictures truth = new SavedPictures(set, truthFolder);
        return pair -> {
            RasterImage image = SegmentationSet.image(pair.image());
            truth.take(pair, image, set.labels(pair, image)); // what is there may be that of other data
            return List.of(pair.image(), truth.file(pair), first.file(pair), file(pair));
        };
    }
}
