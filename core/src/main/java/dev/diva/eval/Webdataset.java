package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.TextFile;
import dev.diva.data.DataFile;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageEntry;
import dev.diva.data.TarSample;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A data set in the layout of LAION's CLIP_benchmark: text files beside numbered tars. */
public final class Webdataset implements ClassificationSet, CaptionSet {
    private final DataFile folder;
    private final String split;
    private final Wording wording;
    private final Set<String> warnings = new LinkedHashSet<>();

    public Webdataset(DataFile folder, String split) {
        this(folder, split, Wording.OWN);
    }

    public Webdataset(DataFile folder, String split, Wording wording) {
        this.folder = folder;
        this.split = split;
        this.wording = wording;
    }

    /** Whether a folder has this layout, with that split or with one of the usual ones. */
    static boolean isAt(Path folder, String split) {
        return Stream.of(split, "train", "test")
                .anyMatch(name -> Files.exists(folder.resolve(name).resolve("nshards.txt")));
    }

    @Override
    public String name() {
        return folder.toString();
    }

    @Override
    public List<String> warnings() {
        return List.copyOf(warnings);
    }

    @Override
    public boolean isMultilabel() {
        String type = type();
        if (!type.equals("classification") && !type.equals("multilabel")) {
            throw new BadInputException(folder + ": dataset_type.txt says " + type
                    + ", expected classification or multilabel; for retrieval use diva eval retrieval");
        }
        return type.equals("multilabel");
    }

    /** classification, multilabel or retrieval. */
    public String type() {
        DataFile file = folder.resolve("dataset_type.txt");
        return file.exists() ? TextLines.word(file, "").toLowerCase(Locale.ROOT) : "classification";
    }

    @Override
    public List<String> classNames() {
        return wording.classNames().isEmpty()
                ? TextLines.classNames(folder.resolve("classnames.txt"))
                : wording.classNames();
    }

    @Override
    public List<String> templates() {
        return wording.templates().isEmpty()
                ? TextLines.templates(folder.resolve("zeroshot_classification_templates.txt"))
                : wording.templates();
    }

    @Override
    public void readLabels(Consumer<LabelledImage> consumer) {
        boolean isMultilabel = isMultilabel();
        int numClasses = classNames().size();
        read(isMultilabel ? "npy" : "cls", sample -> {
            int[] labels = isMultilabel
                    ? NpyVector.read(part(sample, "npy").read(), sample.key())
                    : new int[] {label(sample, numClasses)};
            consumer.accept(new LabelledImage(sample.image(), labels));
        });
    }

    private static int label(TarSample sample, int numClasses) {
        String text = text(sample, "cls");
        try {
            int label = Integer.parseInt(text);
            ClassificationMetrics.requireLabel(label, numClasses, sample.key());
            return label;
        } catch (NumberFormatException e) {
            throw new BadInputException(sample.key() + ".cls: \"" + text + "\", expected a class index", e);
        }
    }

    @Override
    public void readCaptions(Consumer<CaptionedImage> consumer) {
        read(
                "txt",
                sample -> consumer.accept(new CaptionedImage(
                        sample.image(),
                        text(sample, "txt")
                                .lines()
                                .map(caption -> caption.replace("\\n", "\n"))
                                .toList())));
    }

    /** Hands on the samples in the order of the tars; what follows a damage in a tar is lost and reported. */
    private void read(String suffix, Consumer<TarSample> consumer) {
        int numShards = numShards();
        for (int shard = 0; shard < numShards; shard++) {
            DataFile tar = folder.resolve(split).resolve(shard + ".tar");
            if (!tar.exists()) {
                throw new BadInputException(tar + ": missing; nshards.txt announces it");
            }
            List<DataProblem> problems = new ArrayList<>();
            List<TarSample> samples = TarSample.read(tar, problems::add);
            problems.forEach(problem -> warnings.add(problem.toString()));
            boolean isCut = !problems.isEmpty()
                    && !samples.isEmpty()
                    && !isWhole(samples.get(samples.size() - 1), suffix); // the damage may lie inside the last sample
            samples.subList(0, samples.size() - (isCut ? 1 : 0)).forEach(consumer);
        }
    }

    private static boolean isWhole(TarSample sample, String suffix) {
        return sample.files().containsKey(suffix) && sample.files().size() > 1;
    }

    private int numShards() {
        if (!folder.isRemote() && !Files.isDirectory(folder.path())) {
            throw new BadInputException(folder + ": no such folder");
        }
        DataFile count = folder.resolve(split).resolve("nshards.txt");
        try {
            return Integer.parseInt(TextLines.word(
                    count,
                    "choose a part by --split; for captions in one file over a folder of images give --captions (in a"
                            + " suite: split, captions)"));
        } catch (NumberFormatException e) {
            throw new BadInputException(count + ": expected one whole number", e);
        }
    }

    private static ImageEntry part(TarSample sample, String suffix) {
        ImageEntry entry = sample.files().get(suffix);
        if (entry == null) {
            throw new BadInputException(sample.key() + ": no ." + suffix + " member beside the image");
        }
        return entry;
    }

    private static String text(TarSample sample, String suffix) {
        return TextFile.decode(part(sample, suffix).read(), sample.key() + "." + suffix)
                .strip();
    }
}
