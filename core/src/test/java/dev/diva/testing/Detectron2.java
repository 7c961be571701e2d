package dev.diva.testing;

import java.util.Map;

/** detectron2's names in the golden case {@code san-data}. */
public final class Detectron2 {
    /** Of its scores, to those of ours. */
    public static final Map<String, String> SCORES = Map.of(
            "mIoU", "miou",
            "mIoU_v06", "miou_detectron2_v0.6",
            "fwIoU", "frequency_weighted_iou",
            "mACC", "mean_class_accuracy",
            "pACC", "pixel_accuracy");

    private Detectron2() {}
}
