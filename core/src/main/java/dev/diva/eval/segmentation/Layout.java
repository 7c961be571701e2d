package dev.diva.eval.segmentation;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.NearestName;
import dev.diva.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Where a data set lies below the root of detectron2's data sets, and what its values mean.
 *
 * @param images folder of the pictures
 * @param labels folder of the label maps, of the same names but for their endings
 * @param ignored value of pixels that count nowhere
 * @param classes names in the order of their values
 */
public record Layout(String name, String images, String labels, int ignored, List<String> classes) {
    private static final List<Layout> ALL = read();

    /** A data set of one's own, as its file has it: any of it may be missing. */
    private record Own(String name, String images, String labels, Integer ignored, List<String> classes) {
        boolean isWhole() {
            return name != null
                    && name.matches("[A-Za-z0-9._-]+")
                    && images != null
                    && labels != null
                    && ignored != null
                    && classes != null;
        }
    }

    /** A set of {@code sets.json}, which may have pictures to learn from as well. */
    private record Row(
            String name,
            String images,
            String labels,
            String trainingImages,
            String trainingLabels,
            int ignored,
            List<String> classes) {
        Stream<Layout> layouts() {
            Layout scored = new Layout(name, images, labels, ignored, classes);
            return trainingImages == null
                    ? Stream.of(scored)
                    : Stream.of(scored, new Layout(name + "-train", trainingImages, trainingLabels, ignored, classes));
        }
    }

    /** Every one: ADE-150, ADE-847, PC-59, PC-459, VOC-20, COCO-Stuff-171, and what SAN learns from, cocostuff171-train. */
    public static List<Layout> all() {
        return ALL;
    }

    /**
     * The one of that name, or of a YAML file with the keys name, images, labels, ignored and classes.
     *
     * @throws BadInputException with the nearest name when there is none, or naming what is wrong in the file
     */
    public static Layout named(String name) {
        if (isFile(name)) {
            return read(Path.of(name));
        }
        List<String> names = ALL.stream().map(Layout::name).toList();
        return ALL.stream()
                .filter(layout -> layout.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInputException("data set " + name + " is not known; nearest: "
                        + NearestName.of(name, names) + "; known: " + String.join(", ", names)));
    }

    /**
     * Those of several names, each once.
     *
     * @throws BadInputException as for one, and when two files, or a file and a known set, give one name
     */
    public static List<Layout> named(List<String> names) {
        Map<String, String> sources = new HashMap<>();
        List<Layout> layouts = new ArrayList<>();
        for (String source : names.stream().distinct().toList()) {
            Layout layout = named(source);
            String other = sources.putIfAbsent(layout.name, source);
            if (other != null) {
                throw new BadInputException(source + ": name " + layout.name + " is that of " + other
                        + " as well; give one of them a name of its own");
            }
            layouts.add(layout);
        }
        return layouts;
    }

    /** Names the set by all that its counts depend on below the root; a known one by its name. */
    public String identity() {
        return ALL.contains(this)
                ? name
                : name + " (images " + images + ", labels " + labels + ", ignored " + ignored + ", " + classes.size()
                        + " classes of digest " + Sha256.of(String.join("\n", classes), 10) + ")";
    }

    /** Whether a name is that of a file, not of a set that is known. */
    public static boolean isFile(String name) {
        return name.endsWith(".yaml") || name.endsWith(".yml");
    }

    private static Layout read(Path file) {
        Own own = KeyFile.read(file, Own.class);
        if (!own.isWhole()) {
            throw new BadInputException(
                    file + ": expected name (letters, digits, . _ -), images, labels, ignored and a list of classes");
        }
        ClassNames.require(own.classes, file.toString());
        if (own.ignored >= 0 && own.ignored < own.classes.size()) {
            throw new BadInputException(file + ": ignored is " + own.ignored + ", which is the class "
                    + own.classes.get(own.ignored) + "; expected a label beyond the classes");
        }
        return new Layout(own.name, own.images, own.labels, own.ignored, own.classes);
    }

    private static List<Layout> read() {
        try (InputStream file = Layout.class.getResourceAsStream("sets.json")) {
            return new ObjectMapper()
                    .readValue(file, new TypeReference<List<Row>>() {}).stream()
                            .flatMap(Row::layouts)
                            .toList();
        } catch (IOException e) {
            throw new IllegalStateException("sets.json is in the jar", e);
        }
    }
}
