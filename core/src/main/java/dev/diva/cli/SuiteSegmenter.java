package dev.diva.cli;

import dev.diva.clip.Clip;
import dev.diva.data.RasterImage;
import dev.diva.eval.segmentation.Segmenter;
import dev.diva.eval.suite.Suite;
import dev.diva.eval.suite.SuiteRun;
import dev.diva.segment.MaskClip;
import dev.diva.segment.San;
import dev.diva.segment.SanSegmenter;
import dev.diva.segment.TextClasses;
import java.util.List;

/** What names pixels for an entry of a suite: its SAN, or its CLIP by MaskCLIP. */
final class SuiteSegmenter implements SuiteRun.SegmenterModel {
    private final Clip clip;
    private final San san; // null for MaskCLIP
    private final String identity;
    private final Segmenter segmenter;

    private SuiteSegmenter(Clip clip, San san, String identity, Segmenter segmenter) {
        this.clip = clip;
        this.san = san;
        this.identity = identity;
        this.segmenter = segmenter;
    }

    static SuiteSegmenter open(Suite.ModelEntry entry, Clip.Options options, List<String> classes) {
        Clip clip = Clip.load(entry.path(), options);
        try {
            float[][] vectors = new TextClasses().vectors(clip, classes);
            San san = entry.san() == null ? null : San.load(entry.san(), null, clip);
            return new SuiteSegmenter(
                    clip,
                    san,
                    SegmenterOptions.identity(clip, entry.san(), san),
                    san == null ? new MaskClip(clip, vectors) : new SanSegmenter(san, vectors));
        } catch (RuntimeException e) {
            clip.close();
            throw e;
        }
    }

    @Override
    public int[] labels(RasterImage image) {
        return segmenter.labels(image);
    }

    @Override
    public String identity() {
        return identity;
    }

    @Override
    public void close() {
        if (san != null) {
            san.close();
        }
        clip.close();
    }
}
