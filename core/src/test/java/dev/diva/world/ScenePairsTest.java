package dev.diva.world;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.CaptionParser;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Facet;
import dev.diva.world.scene.Pattern;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.ScenePair;
import dev.diva.world.scene.ScenePairs;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Pairs differ in one fine attribute, in words and in pixels. */
class ScenePairsTest {
    private static final List<ScenePair> PAIRS = new ScenePairs(new SceneSampler(1, Split.TEST)).pairs(100);
    private static final int SIDE = SceneRenderer.SIDE;

    @Test
    void hundredPairsOfEachPatternInOrder() {
        assertThat(PAIRS).hasSize(900);
        for (int i = 0; i < PAIRS.size(); i++) {
            assertThat(PAIRS.get(i).pattern())
                    .isEqualTo(List.of(Pattern.values()).get(i / 100));
        }
        assertThat(PAIRS.stream().map(pair -> pair.pattern() + Captions.full(pair.first())))
                .doesNotHaveDuplicates();
    }

    @Test
    void oneFineAttributeOfThePatternDiffers() {
        for (ScenePair pair : PAIRS) {
            List<Facet> differing = pair.first().facets().stream()
                    .filter(facet -> pair.first().value(facet) != pair.second().value(facet))
                    .toList();
            assertThat(differing).containsExactly(pair.differs());
            assertThat(pair.differs().attribute().pattern()).isEqualTo(pair.pattern());
            assertThat(Captions.gist(pair.second())).isEqualTo(Captions.gist(pair.first()));
            assertThat(pair.second().look()).isEqualTo(pair.first().look());
        }
    }

    @Test
    void statementsShareTheGistAndDifferInTheAttribute() {
        for (ScenePair pair : PAIRS) {
            assertThat(pair.firstStatement()).isNotEqualTo(pair.secondStatement());
            Scene told = CaptionParser.parse(pair.firstStatement());
            assertThat(Captions.gist(told)).isEqualTo(Captions.gist(pair.first()));
            assertThat(told.value(pair.differs())).isEqualTo(pair.first().value(pair.differs()));
            assertThat(CaptionParser.parse(pair.secondStatement()).value(pair.differs()))
                    .isEqualTo(pair.second().value(pair.differs()));
        }
    }

    @Test
    void imagesDifferVisiblyAndOnlyWhereTheThingIs() {
        SceneRenderer renderer = new SceneRenderer(SIDE);
        for (ScenePair pair : PAIRS) {
            byte[] first = renderer.rgb(pair.first());
            byte[] second = renderer.rgb(pair.second());
            Set<Integer> changed = new HashSet<>();
            int visible = 0;
            for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
                int most = 0;
                for (int c = 0; c < 3; c++) {
                    int a = Byte.toUnsignedInt(first[3 * pixel + c]);
                    most = Math.max(most, Math.abs(a - Byte.toUnsignedInt(second[3 * pixel + c])));
                }
                if (most > 0) {
                    changed.add(pixel);
                }
                visible += most > 40 ? 1 : 0;
            }
            assertThat(visible).as(pair.toString()).isGreaterThanOrEqualTo(8);
            if (pair.differs().attribute() != Attribute.RELATION) {
                assertBounded(pair, changed);
            }
        }
    }

    /** One thing fills at most a box of 40 pixels each way; one of two things, half of that, swing and glow included. */
    private static void assertBounded(ScenePair pair, Set<Integer> changed) {
        int limit = pair.first().things().size() == 1 ? 40 : 30;
        int width = span(changed.stream().map(pixel -> pixel % SIDE).toList());
        int height = span(changed.stream().map(pixel -> pixel / SIDE).toList());
        assertThat(width).as(pair.toString()).isLessThanOrEqualTo(limit);
        assertThat(height).as(pair.toString()).isLessThanOrEqualTo(limit);
    }

    private static int span(List<Integer> values) {
        var summary = values.stream().mapToInt(Integer::intValue).summaryStatistics();
        return summary.getMax() - summary.getMin() + 1;
    }
}
