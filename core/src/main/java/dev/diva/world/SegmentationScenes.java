package dev.diva.world;

import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Background;
import dev.diva.world.scene.Kind;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Scenes with a label for every pixel, which cost nothing: a scene knows where its things are. Folders {@code images} and {@code labels} of a
 * split, and {@code SPLIT.yaml}, which names them and the classes: kinds of things, then backgrounds.
 */
public final class SegmentationScenes {
    private static final int IGNORED = 255;
    private static final List<Background> BACKGROUNDS = List.of(Background.values());
    private static final List<Kind> KINDS = List.of(Kind.values());

    private SegmentationScenes() {}

    /** Names of the classes: nouns that captions use. */
    public static List<String> classes() {
        return Stream.concat(
                        KINDS.stream().map(Kind::noun),
                        BACKGROUNDS.stream()
                                .map(Background::phrase)
                                .map(phrase -> phrase.substring(phrase.lastIndexOf(' ') + 1)))
                .toList();
    }

    /** The file that describes a split of a root, as {@code --set} takes it. */
    public static Path layout(Path root, Split split) {
        return root.resolve(split.stream()).resolve("set.yaml");
    }

    /** Writes so many scenes of a split below a root. */
    public static void write(Path root, WorldRecipe world, Split split, int count) {
        SceneRenderer renderer = new SceneRenderer(world.side());
        SceneSampler sampler = new SceneSampler(world.seed(), split);
        AtomicFolder.write(root.resolve(split.stream()), folder -> {
            Path images = Files.createDirectories(folder.resolve("images"));
            Path labels = Files.createDirectories(folder.resolve("labels"));
            Painted.each(count, sampler::scene, renderer, (index, painted) -> {
                String name = String.format(Locale.ROOT, "%06d.png", index);
                Files.write(images.resolve(name), painted.png());
                Files.write(labels.resolve(name), ImageFormats.png(labels(painted.scene(), renderer)));
            });
            Files.writeString(folder.resolve("set.yaml"), yaml(split));
        });
    }

    private static BufferedImage labels(Scene scene, SceneRenderer renderer) {
        int side = renderer.side();
        int[] things = renderer.things(scene);
        BufferedImage map = new BufferedImage(side, side, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < things.length; i++) {
            int label = things[i] < 0
                    ? KINDS.size() + BACKGROUNDS.indexOf(scene.background())
                    : KINDS.indexOf(scene.things().get(things[i]).kind());
            map.getRaster().setSample(i % side, i / side, 0, label);
        }
        return map;
    }

    private static String yaml(Split split) throws IOException {
        Map<String, Object> layout = new LinkedHashMap<>();
        layout.put("name", "world-" + split.stream());
        layout.put("images", split.stream() + "/images");
        layout.put("labels", split.stream() + "/labels");
        layout.put("ignored", IGNORED);
        layout.put("classes", classes());
        return new YAMLMapper().writeValueAsString(layout);
    }

    /** Whether a split is there. */
    public static boolean isIn(Path root, Split split) {
        if (Files.exists(root.resolve(split.stream())) && !Files.exists(layout(root, split))) {
            throw new BadInputException(root.resolve(split.stream()) + ": is not what diva writes there; remove it");
        }
        return Files.exists(layout(root, split));
    }
}
