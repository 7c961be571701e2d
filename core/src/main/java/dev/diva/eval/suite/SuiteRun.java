package dev.diva.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.clip.Clip;
import dev.diva.eval.CaptionSet;
import dev.diva.eval.CaptionTable;
import dev.diva.eval.ClassificationSet;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Feature;
import dev.diva.eval.ImageTextEncoder;
import dev.diva.eval.LinearProbe;
import dev.diva.eval.MmvpEvaluation;
import dev.diva.eval.MmvpReader;
import dev.diva.eval.ProbeEvaluation;
import dev.diva.eval.PromptEnsemble;
import dev.diva.eval.Result;
import dev.diva.eval.RetrievalEvaluation;
import dev.diva.eval.TextLines;
import dev.diva.eval.Webdataset;
import dev.diva.eval.Wording;
import dev.diva.eval.ZeroShotEvaluation;
import dev.diva.eval.mllm.Answerer;
import dev.diva.eval.mllm.MllmRun;
import dev.diva.eval.mllm.Prompts;
import dev.diva.eval.segmentation.Segmenter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs the cells of a suite, model by model. Each is on disk when it is done; one that fails is listed, and the others run. */
public final class SuiteRun {
    private final Suite suite;
    private final Path folder;
    private final Options options;
    private final PromptEnsemble prompts = new PromptEnsemble();
    private final List<JsonNode> cells = new ArrayList<>();
    private final List<Failure> failures = new ArrayList<>();

    /**
     * How cells are run.
     *
     * @param skipsExisting whether a cell whose file is there is read instead of run
     * @param llavas opens the LLaVA of an entry
     * @param segmenters opens what names the pixels of an entry
     */
    public record Options(
            Clip.Options clip, Feature feature, boolean skipsExisting, Llavas llavas, Segmenters segmenters) {}

    /** Opens models that name pixels, which this package does not know. */
    @FunctionalInterface
    public interface Segmenters {
        /** The model of an entry, for these names. */
        SegmenterModel open(Suite.ModelEntry entry, List<String> classes);
    }

    /** A model that names pixels and can be let go. */
    public interface SegmenterModel extends Segmenter, AutoCloseable {
        /** Names it by what its answers depend on. */
        String identity();

        @Override
        void close();
    }

    /** Opens LLaVAs, which this package does not know. */
    @FunctionalInterface
    public interface Llavas {
        /** The LLaVA of an entry, asked with the words of a toolkit. */
        LlavaModel open(Suite.ModelEntry entry, Prompts prompts);
    }

    /** A LLaVA that can be let go. */
    public interface LlavaModel extends Answerer, AutoCloseable {
        @Override
        void close();
    }

    /** A cell that could not be scored. */
    public record Failure(String model, String dataset, Task task, Throwable cause) {}

    /** Hears of progress. */
    public interface Listener extends MllmRun.Listener {
        /** A cell is on disk: computed now, or found there. */
        void done(Path file, boolean computed);

        /** A cell failed. */
        void failed(Failure failure);
    }

    /** @param folder where the cells go */
    public SuiteRun(Suite suite, Path folder, Options options) {
        this.suite = suite;
        this.folder = folder;
        this.options = options;
    }

    /** Runs what is missing. */
    public void run(Listener listener) {
        for (Suite.ModelEntry model : suite.models()) {
            try (LazyModel lazy = new LazyModel(model, listener)) {
                for (Suite.DataEntry data : suite.datasets()) {
                    data.tasks().stream().filter(model::takes).forEach(task -> cell(lazy, data, task, listener));
                }
            }
        }
    }

    /** All cells that are there, in the order of the suite. */
    public List<JsonNode> cells() {
        return List.copyOf(cells);
    }

    /** All cells that are not. */
    public List<Failure> failures() {
        return List.copyOf(failures);
    }

    private void cell(LazyModel model, Suite.DataEntry data, Task task, Listener listener) {
        Path file = Cell.file(folder, model.entry, data, task);
        boolean isThere = options.skipsExisting && Files.exists(file);
        try {
            if (!isThere) {
                Cell.requireOurs(file);
                Result result = result(model, data, task, listener);
                Cell.write(file, Cell.json(model.entry, data, task, result));
            }
            cells.add(Cell.read(file));
            listener.done(file, !isThere);
        } catch (Answerer.Stopped e) {
            throw e;
        } catch (Throwable e) { // memory that ran out as well: whatever it is, the other cells do not depend on it
            Failure failure = new Failure(model.entry.name(), data.name(), task, e);
            failures.add(failure);
            listener.failed(failure);
        }
    }

    private Result result(LazyModel model, Suite.DataEntry data, Task task, Listener listener) {
        if (task == Task.SEGMENTATION) {
            return new SegmentationCell(model.entry, data, folder.resolve("counts")).score(options.segmenters);
        }
        return task.benchmark() == null
                ? score(model.encoder(), data, task)
                : new MllmCell(model.entry, data, task, folder.resolve("answers")).score(options.llavas, listener);
    }

    /** A model that is loaded when the first cell needs it. */
    private final class LazyModel implements AutoCloseable {
        private final Suite.ModelEntry entry;
        private final Listener listener;
        private Clip clip;

        LazyModel(Suite.ModelEntry entry, Listener listener) {
            this.entry = entry;
            this.listener = listener;
        }

        ImageTextEncoder encoder() {
            if (clip == null) {
                clip = Clip.load(entry.path(), options.clip.withFormat(entry.format()));
                clip.notes().forEach(listener::note);
            }
            return new ClipEncoder(entry.name(), clip, options.feature);
        }

        @Override
        public void close() {
            if (clip != null) {
                clip.close();
            }
        }
    }

    private Result score(ImageTextEncoder encoder, Suite.DataEntry data, Task task) {
        return switch (task) {
            case MMVP ->
                new MmvpEvaluation(MmvpReader.read(data.folder().path(), MmvpReader.Missing.LEAVE_OUT)).add(encoder);
            case ZEROSHOT -> new ZeroShotEvaluation(classes(data, "split", "test"), prompts).add(encoder);
            case RETRIEVAL -> new RetrievalEvaluation(captions(data), recallK(data)).add(encoder);
            case PROBE ->
                new ProbeEvaluation(
                                classes(data, "trainSplit", "train"),
                                classes(data, "split", "test"),
                                data.options().path("shots").asInt(0),
                                LinearProbe.Settings.DEFAULT)
                        .add(encoder);
            default -> throw new IllegalArgumentException(task + " is no task of a CLIP");
        };
    }

    private static ClassificationSet classes(Suite.DataEntry data, String splitKey, String split) {
        String names = data.text("classnames", "");
        String templates = data.text("templates", "");
        Wording wording = new Wording(
                names.isEmpty() ? List.of() : TextLines.classNames(Path.of(names)),
                templates.isEmpty() ? List.of() : TextLines.templates(Path.of(templates)));
        return ClassificationSet.open(data.folder(), data.text(splitKey, split), wording);
    }

    private static CaptionSet captions(Suite.DataEntry data) {
        String file = data.text("captions", "");
        String split = data.text("split", "test");
        CaptionTable.Selection selection = new CaptionTable.Selection(
                split, data.text("imageColumn", "image"), data.text("captionColumn", "caption"));
        return file.isEmpty()
                ? new Webdataset(data.folder(), split)
                : CaptionTable.read(Path.of(file), data.folder().path(), selection);
    }

    private static List<Integer> recallK(Suite.DataEntry data) {
        JsonNode ks = data.options().path("recallK");
        if (!ks.isArray()) {
            return List.of(ks.asInt(5));
        }
        Integer[] values = new Integer[ks.size()];
        Arrays.setAll(values, i -> ks.get(i).asInt());
        return List.of(values);
    }
}
