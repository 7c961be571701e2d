package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A folder of images per class, as torchvision's ImageFolder reads it. Class names come from the wording, else from {@code
 * classnames.txt} of the tree, else they are the names of the folders. A folder means the class of its name; else, when all folders are
 * numbers, the class of that index (ImageNet-V2, whose folders do not sort as numbers); else the class at its place in sorted order.
 */
final class ImageTree implements ClassificationSet {
    /** Prompt of a tree that has no templates of its own. */
    static final String DEFAULT_TEMPLATE = "a photo of a {c}.";

    private static final List<String> SPLITS = List.of("train", "val", "test");

    private final Path folder;
    private final Map<Path, Integer> labels;
    private final List<String> classNames;
    private final List<String> templates;
    private final Set<String> warnings = new LinkedHashSet<>();

    private ImageTree(Path folder, Map<Path, Integer> labels, List<String> classNames, List<String> templates) {
        this.folder = folder;
        this.labels = labels;
        this.classNames = classNames;
        this.templates = templates;
    }

    /** Reads names only; a tree with folders {@code train} or {@code test} is one of its splits. */
    static ImageTree open(Path folder, String split, Wording wording) {
        Path root = root(folder, split);
        List<Path> classFolders = foldersIn(root);
        if (classFolders.isEmpty()) {
            throw new BadInputException(
                    root + ": no folder per class, and no nshards.txt of CLIP_benchmark's layout either");
        }
        List<String> names = wording.classNames().isEmpty() ? ownNames(folder, classFolders) : wording.classNames();
        List<String> templates = wording.templates().isEmpty() ? ownTemplates(folder) : wording.templates();
        return new ImageTree(folder, labels(root, classFolders, names), names, templates);
    }

    private static Path root(Path folder, String split) {
        Path inside = folder.resolve(split);
        boolean isSplit = SPLITS.stream().anyMatch(name -> Files.isDirectory(folder.resolve(name)));
        if (isSplit && !Files.isDirectory(inside)) {
            throw new BadInputException(inside + ": no such folder; give another split");
        }
        return isSplit ? inside : folder;
    }

    private static List<Path> foldersIn(Path root) {
        try (Stream<Path> paths = Files.list(root)) {
            return paths.filter(Files::isDirectory)
                    .filter(path -> !nameOf(path).startsWith(".")) // of notebooks and of file managers
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(root + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static List<String> ownNames(Path folder, List<Path> classFolders) {
        Path file = folder.resolve("classnames.txt");
        return Files.exists(file)
                ? TextLines.read(file)
                : classFolders.stream().map(ImageTree::nameOf).toList();
    }

    private static List<String> ownTemplates(Path folder) {
        Path file = folder.resolve("zeroshot_classification_templates.txt");
        return Files.exists(file) ? TextLines.templates(file) : List.of(DEFAULT_TEMPLATE);
    }

    private static Map<Path, Integer> labels(Path root, List<Path> classFolders, List<String> names) {
        boolean byName = classFolders.stream().allMatch(path -> names.contains(nameOf(path)));
        boolean byNumber =
                !byName && classFolders.stream().allMatch(path -> nameOf(path).matches("\\d{1,9}"));
        if (!byName && !byNumber && classFolders.size() != names.size()) {
            throw new BadInputException(root + ": " + classFolders.size() + " folders, but " + names.size()
                    + " class names; expected one each");
        }
        Map<Path, Integer> labels = new TreeMap<>();
        for (int i = 0; i < classFolders.size(); i++) {
            String name = nameOf(classFolders.get(i));
            int label = byName ? names.indexOf(name) : byNumber ? Integer.parseInt(name) : i;
            ClassificationMetrics.requireLabel(
                    label, names.size(), classFolders.get(i).toString());
            labels.put(classFolders.get(i), label);
        }
        return labels;
    }

    private static String nameOf(Path path) {
        return path.getFileName().toString();
    }

    @Override
    public String name() {
        return folder.toString();
    }

    @Override
    public boolean isMultilabel() {
        return false;
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public List<String> templates() {
        return templates;
    }

    @Override
    public void readLabels(Consumer<LabelledImage> consumer) {
        labels.forEach((classFolder, label) -> {
            List<ImageEntry> images = ImageSet.below(classFolder, problem -> warnings.add(problem.toString()));
            if (images.isEmpty()) {
                warnings.add(classFolder + ": no images");
            }
            images.forEach(image -> consumer.accept(new LabelledImage(image, new int[] {label})));
        });
    }

    @Override
    public List<String> warnings() {
        return new ArrayList<>(warnings);
    }
}
