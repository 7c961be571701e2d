package dev.diva.eval.suite;

import dev.diva.BadInputException;
import dev.diva.engine.ProcessGroup;
import dev.diva.eval.Result;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.PixelCounts;
import dev.diva.eval.segmentation.SegmentationRun;
import dev.diva.eval.segmentation.SegmentationScores;
import dev.diva.eval.segmentation.SegmentationSet;
import java.nio.file.Path;
import java.util.List;

/**
 * One model on one segmentation set: SAN on its CLIP, or the CLIP alone by MaskCLIP.
 *
 * @param counts folder of the counts of each picture, from which a killed suite goes on
 */
record SegmentationCell(Suite.ModelEntry model, Suite.DataEntry data, Path counts) {
    /** Names what is not named yet, and scores. */
    Result score(SuiteRun.Segmenters segmenters) {
        SegmentationSet all = SegmentationSet.open(
                Layout.named(data.text("set", data.name())), data.folder().path());
        int limit = data.options().path("limit").asInt(Integer.MAX_VALUE);
        if (limit < 1) {
            throw new BadInputException("dataset " + data.name() + ": limit is " + limit + ", expected at least 1");
        }
        SegmentationSet set = all.limited(limit);
        try (SuiteRun.SegmenterModel segmenter =
                segmenters.open(model, set.layout().classes())) {
            String scored = segmenter.identity() + ", " + set.layout().identity() + " of "
                    + data.folder().path().toAbsolutePath().normalize();
            Path file = counts.resolve(Cell.inFile(model.name())).resolve(data.name() + ".jsonl");
            List<PixelCounts> pictures = new SegmentationRun(set, file, scored, ProcessGroup.single())
                    .counts(segmenter, SegmentationRun.Pictures.NONE, (done, count) -> {});
            return SegmentationScores.result(model.name(), set, pictures, null);
        }
    }
}
