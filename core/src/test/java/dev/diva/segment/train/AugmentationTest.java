package dev.diva.segment.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.data.Box;
import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.engine.Tensors;
import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.testing.Golden;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Training crops from given decisions against SAN's mapper, and what decisions are drawn. */
@Tag("golden")
class AugmentationTest {
    private static final Golden GOLDEN = Golden.of("san-data");

    @Test
    void cropsOfGivenDecisionsAreThoseOfTheAuthorsMapper() {
        JsonNode facts = GOLDEN.json("case.json").path("train.N");
        int tolerance = facts.path("tolerance_images").asInt();
        SegmentationSet set = SegmentationSet.open(Layout.named("cocostuff171-train"), GOLDEN.file("datasets"));
        int n = 0;
        try (PointerScope scope = new PointerScope()) {
            for (JsonNode decisions : facts.path("decisions")) {
                String name = decisions.path("image").asText().replaceFirst("\\.\\w+$", "");
                SegmentationSet.Pair pair = set.pairs().stream()
                        .filter(candidate -> candidate.name().equals(name))
                        .findFirst()
                        .orElseThrow();
                RasterImage image = SegmentationSet.image(pair.image());
                var expected = GOLDEN.expected("train." + n + ".image");
                int crop = Math.toIntExact(expected.size(1));
                Augmentation augmentation = new Augmentation(
                        List.of(crop), 4 * crop, crop, set.layout().ignored(), true);
                Augmentation.Choice choice = choice(decisions);
                TrainingCrop made = augmentation.of(image, set.labels(pair, image), choice);
                boolean isRecolored =
                        choice.color().saturation() != null || choice.color().hue() != null;
                int worst = worst(made, Tensors.toLongs(expected.permute(1, 2, 0)));
                assertThat(worst).as("picture " + n).isLessThanOrEqualTo(isRecolored ? tolerance : 0);
                long[] labels = Tensors.toLongs(GOLDEN.expected("train." + n + ".labels"));
                assertThat(Arrays.stream(made.labels()).asLongStream().toArray())
                        .isEqualTo(labels);
                Target target = Target.of(made.labels(), crop, set.layout().ignored());
                assertThat(target.classes()).isEqualTo(Tensors.toLongs(GOLDEN.expected("train." + n + ".classes")));
                assertThat(Tensors.toLongs(target.masks().sum(new long[] {1, 2}, false, null)))
                        .isEqualTo(Tensors.toLongs(GOLDEN.expected("train." + n + ".mask_pixels")));
                n++;
            }
        }
        assertThat(n).isPositive();
    }

    private static int worst(TrainingCrop made, long... expected) {
        int worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs((made.pixels().samples()[i] & 0xff) - (int) expected[i]));
        }
        return worst;
    }

    private static Augmentation.Choice choice(JsonNode decisions) {
        Iterator<JsonNode> size = decisions.path("resize (h, w)").iterator();
        int height = size.next().asInt();
        int width = size.next().asInt();
        JsonNode crop = decisions.path("crop (x, y, w, h)");
        Box window = new Box(
                crop.path(1).asInt(),
                crop.path(0).asInt(),
                crop.path(3).asInt(),
                crop.path(2).asInt());
        Queue<Double> said = new ArrayDeque<>();
        decisions.path("colour").forEach(step -> said.add(step.path(1).asDouble()));
        Double brightness = said.remove() == 1 ? said.remove() : null;
        boolean contrastFirst = said.remove() == 1;
        Double early = contrastFirst && said.remove() == 1 ? said.remove() : null;
        Double saturation = said.remove() == 1 ? said.remove() : null;
        Integer hue = said.remove() == 1 ? (Integer) (int) (double) said.remove() : null;
        Double late = !contrastFirst && said.remove() == 1 ? said.remove() : null;
        assertThat(said).isEmpty();
        return new Augmentation.Choice(
                width,
                height,
                window,
                new ColorDistortion(brightness, contrastFirst, contrastFirst ? early : late, saturation, hue),
                decisions.path("flip").asBoolean());
    }

    /** Every edge, both mirrorings and windows at both ends come, and none beyond the picture. */
    @Test
    void whatIsDrawnIsInRange() {
        Augmentation augmentation = new Augmentation(List.of(20, 40), 70, 32, 255, true);
        RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
        Set<Integer> widths = new TreeSet<>();
        Set<Integer> lefts = new TreeSet<>();
        Set<Boolean> mirrored = new TreeSet<>();
        for (int i = 0; i < 500; i++) {
            Augmentation.Choice choice = augmentation.draw(60, 30, random);
            assertThat(choice.window().left() + choice.window().width()).isLessThanOrEqualTo(choice.width());
            assertThat(choice.window().top() + choice.window().height()).isLessThanOrEqualTo(choice.height());
            widths.add(choice.width());
            lefts.add(choice.window().left());
            mirrored.add(choice.mirrored());
            Double brightness = choice.color().brightness();
            assertThat(brightness == null ? 0 : brightness).isBetween(-32.0, 32.0);
            Integer hue = choice.color().hue();
            assertThat(hue == null ? 0 : hue).isBetween(-18, 18);
        }
        assertThat(widths).containsExactly(40, 70); // 80 x 40 would pass the limit of 70
        assertThat(lefts).contains(0, 70 - 32);
        assertThat(mirrored).hasSize(2);
    }

    @Test
    void aPictureTooThinForAnEdgeIsNamed() {
        Augmentation augmentation = new Augmentation(List.of(20, 40), 70, 32, 255, true);
        RasterImage thin = RasterImage.of(ColorMode.L, 900, 1, new byte[900]);
        assertThatThrownBy(() -> augmentation.requireFits(thin, "thin.png"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("thin.png: a picture of 900x1");
    }
}
