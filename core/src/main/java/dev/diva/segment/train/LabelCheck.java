package dev.diva.segment.train;

import dev.diva.BadInputException;
import dev.diva.data.RasterImage;
import dev.diva.data.SampleOrder;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.SegmentationSet;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Looks at some pairs of a set before a run of days begins. */
final class LabelCheck {
    private static final int CHECKED = 200;

    private LabelCheck() {}

    /**
     * The set of a recipe.
     *
     * @param looks whether pictures are opened
     * @param notes told what is odd
     * @throws BadInputException naming the first pair that cannot be used, when there are more of them than the recipe puts up with
     */
    static SegmentationSet open(SanRecipe recipe, boolean looks, List<String> notes) {
        SegmentationSet set = SegmentationSet.open(Layout.named(recipe.set()), Path.of(recipe.data()));
        if (looks) {
            check(set, recipe, notes);
        }
        return set;
    }

    private static void check(SegmentationSet set, SanRecipe recipe, List<String> notes) {
        int count = Math.min(CHECKED, set.pairs().size());
        SampleOrder order = new SampleOrder(set.pairs().size(), recipe.seed(), recipe.shuffle());
        int bad = 0;
        int empty = 0;
        String first = null;
        for (int i = 0; i < count; i++) {
            SegmentationSet.Pair pair = set.pairs().get(order.index(i));
            try {
                RasterImage image = SegmentationSet.image(pair.image());
                int[] labels = set.labels(pair, image);
                SanBatches.augmentation(recipe, set)
                        .requireFits(image, pair.image().toString());
                boolean isEmpty = Arrays.stream(labels)
                        .allMatch(label -> label == set.layout().ignored());
                empty += isEmpty ? 1 : 0;
            } catch (BadInputException e) {
                bad++;
                first = first == null ? e.getMessage() : first;
            }
        }
        if (bad == count || bad > recipe.maxBadShare() * count) {
            throw new BadInputException(bad + " of " + count + " pictures cannot be used, more than the limit of "
                    + recipe.maxBadShare() + " (maxBadShare); the first: " + first);
        }
        if (empty == count - bad) {
            throw new BadInputException(
                    Path.of(recipe.data()).resolve(set.layout().labels()) + ": every pixel of " + empty
                            + " label maps is " + set.layout().ignored() + ", ignored: there is nothing to learn");
        }
        if (bad > 0) {
            notes.add("warning: " + bad + " of " + count + " pictures cannot be used; the first: " + first);
        }
        if (empty > 0) {
            notes.add(empty + " of " + count + " label maps are ignored everywhere; they teach what is no class");
        }
    }
}
