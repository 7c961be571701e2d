package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.eval.segmentation.Layout;
import dev.diva.eval.segmentation.SegmentationSet;
import dev.diva.world.SegmentationScenes;
import dev.diva.world.WorldRecipe;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Background;
import dev.diva.world.scene.Kind;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The segmentation of the mini world in small: its labels, and two runs of a seed. */
class SegmentationDemoTest {
    private static final WorldRecipe WORLD = new WorldRecipe(1, SceneRenderer.SIDE, 0, 0, 0, 0, 0, 0);

    @TempDir
    private Path folder;

    private Path demo(String name) {
        Path out = folder.resolve(name);
        Places places = new Places(out);
        ShippedModels.unpack(places.models());
        List<String> changes = List.of("train.steps=2", "train.batch=2", "points=16", "san.blocks=2");
        List<Path> clips = List.of(places.clip(), places.clip());
        return new SegmentationDemo(out, List.of(3L), Watcher.SILENT)
                .compare(clips, WORLD, 6, 3, changes)
                .orElseThrow();
    }

    @Test
    void twoRunsOfASeedHaveTheSameBitsAndTheSameClipTheSameScore() throws IOException {
        Path one = demo("one");
        Path two = demo("two");
        assertThat(Files.readString(two)).isEqualTo(Files.readString(one)).contains("| 3 |", "+0.0");
        for (String file : List.of("after-seed-3/san/san.yaml", "after-seed-3/counts.jsonl")) {
            assertThat(Files.readAllBytes(two.resolveSibling("segmentation").resolve(file)))
                    .isEqualTo(Files.readAllBytes(
                            one.resolveSibling("segmentation").resolve(file)));
        }
        byte[] before = masters(one, "before");
        assertThat(masters(one, "after")).isEqualTo(before);
        assertThat(masters(two, "after")).isEqualTo(before);
        assertThat(one.resolveSibling("segmentation").resolve("changes-seed-3.html"))
                .exists();
    }

    private static byte[] masters(Path table, String model) throws IOException {
        Path checkpoints = table.resolveSibling("segmentation").resolve(model + "-seed-3/checkpoints");
        return Files.readAllBytes(checkpoints.resolve("step-00000002/masters.safetensors"));
    }

    /** Every scene has its background and its things, in the order of the class names. */
    @Test
    void labelsAreThoseOfTheThingsOfAScene() {
        SegmentationScenes.write(folder, WORLD, Split.PROBE_TEST, 20);
        SegmentationSet set = SegmentationSet.open(
                Layout.named(SegmentationScenes.layout(folder, Split.PROBE_TEST).toString()), folder);
        assertThat(set.pairs()).hasSize(20);
        assertThat(set.layout().classes()).hasSize(Kind.values().length + Background.values().length);
        SceneSampler scenes = new SceneSampler(WORLD.seed(), Split.PROBE_TEST);
        for (int i = 0; i < 20; i++) {
            Scene scene = scenes.scene(i);
            SegmentationSet.Pair pair = set.pairs().get(i);
            int[] labels = set.labels(pair, SegmentationSet.image(pair.image()));
            TreeSet<String> names = new TreeSet<>();
            Arrays.stream(labels)
                    .forEach(label -> names.add(set.layout().classes().get(label)));
            TreeSet<String> wanted = new TreeSet<>();
            scene.things().forEach(thing -> wanted.add(thing.kind().noun()));
            String phrase = scene.background().phrase();
            wanted.add(phrase.substring(phrase.lastIndexOf(' ') + 1));
            assertThat(names).isEqualTo(wanted);
        }
    }
}
