package dev.diva.world;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.world.scene.Background;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Facet;
import dev.diva.world.scene.Kind;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** How scenes are drawn. */
class SceneSamplerTest {
    private static final int SCENES = 40_000;

    @Test
    void sceneFollowsFromSeedSplitAndIndexAlone() {
        SceneSampler once = new SceneSampler(5, Split.TEST);
        SceneSampler again = new SceneSampler(5, Split.TEST);
        Scene tenth = once.scene(10);
        LongStream.range(0, 10).forEach(again::scene);
        assertThat(again.scene(10)).isEqualTo(tenth);
        assertThat(new SceneSampler(6, Split.TEST).scene(10)).isNotEqualTo(tenth);
    }

    @Test
    void firstSceneOfSeedOneStaysWhatItIs() {
        Scene scene = new SceneSampler(1, Split.PRETRAIN).scene(0);
        assertThat(Captions.full(scene))
                .isEqualTo(
                        "a square blue sign with the number 4 below a frowning face with glasses seen from the front by the sea");
        assertThat(scene.look()).isEqualTo(8852586772525514229L);
    }

    @Test
    void splitsShareNoScene() {
        Set<Long> looks = new HashSet<>();
        for (Split split : Split.values()) {
            SceneSampler sampler = new SceneSampler(1, split);
            LongStream.range(0, 3_000)
                    .forEach(index -> looks.add(sampler.scene(index).look()));
        }
        assertThat(looks).hasSize(3_000 * Split.values().length);
    }

    @Test
    void valuesOfEveryAttributeAreEquallyFrequent() {
        Map<String, int[]> counts = new HashMap<>();
        SceneSampler sampler = new SceneSampler(2, Split.PRETRAIN);
        for (int i = 0; i < SCENES; i++) {
            Scene scene = sampler.scene(i);
            for (Facet facet : scene.facets()) {
                String name = scene.things().get(facet.thing()).kind() + " " + facet.attribute();
                counts.computeIfAbsent(name, unused -> new int[facet.attribute().size()])[scene.value(facet)]++;
            }
        }
        counts.forEach((name, each) -> assertEven(name, each));
    }

    @Test
    void kindsAndBackgroundsAreEquallyFrequent() {
        Map<Background, Integer> backgrounds = new HashMap<>();
        Map<Kind, Integer> kinds = new HashMap<>();
        SceneSampler sampler = new SceneSampler(2, Split.POSTTRAIN);
        for (int i = 0; i < SCENES; i++) {
            Scene scene = sampler.scene(i);
            backgrounds.merge(scene.background(), 1, Integer::sum);
            scene.things().forEach(thing -> kinds.merge(thing.kind(), 1, Integer::sum));
        }
        assertThat(backgrounds).hasSize(Background.values().length);
        assertThat(kinds).hasSize(Kind.values().length);
        assertEven("background", counts(List.copyOf(backgrounds.values())));
        assertEven("kind", counts(List.copyOf(kinds.values())));
    }

    private static int[] counts(List<Integer> counts) {
        return counts.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Every count within five standard deviations of the mean. */
    private static void assertEven(String name, int[] counts) {
        double mean = 0;
        for (int count : counts) {
            mean += (double) count / counts.length;
        }
        for (int count : counts) {
            assertThat((double) count).as(name).isBetween(mean - 5 * Math.sqrt(mean), mean + 5 * Math.sqrt(mean));
        }
    }
}
