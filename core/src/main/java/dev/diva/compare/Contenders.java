package dev.diva.compare;

import dev.diva.BadInputException;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.ClipSummary;
import dev.diva.eval.suite.Suite;
import dev.diva.eval.suite.Task;
import dev.diva.hub.Models;
import dev.diva.report.RunCost;
import dev.diva.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Who is compared: the untouched model and the methods. Models go by their paths, also in the names of cells, so that a cell of one is
 * never taken for that of another.
 *
 * @param notes what is not known of them, a line each
 */
public record Contenders(Suite.ModelEntry untouched, List<Method> methods, List<String> notes) {
    /**
     * A row: runs that differ only in their seed, or one model that no run tells of.
     *
     * @param models the results, one a run
     * @param seeds of the runs, empty for a model
     * @param costs of the runs, empty for a model
     */
    public record Method(String name, List<Suite.ModelEntry> models, List<Long> seeds, List<RunCost> costs) {}

    /**
     * Sorts run folders and models into rows. The untouched model is what the first run started from, or without runs the first model;
     * given as a model beside runs, it is no row.
     *
     * @param format layout of the models that are no runs, or null to find it
     * @throws BadInputException for a path that is not there or given twice, an unfinished run, runs of different untouched models, and
     *     when nothing is left to compare
     */
    public static Contenders of(List<Path> sources, String format) {
        requireDistinct(sources);
        List<FinishedRun> runs =
                sources.stream().filter(RunFolder::isRun).map(FinishedRun::read).toList();
        List<Path> models =
                sources.stream().filter(path -> !RunFolder.isRun(path)).toList();
        Suite.ModelEntry untouched = runs.isEmpty()
                ? entry(models.get(0), format)
                : entry(runs.get(0).untouched(), runs.get(0).format());
        requireSameStart(runs);
        List<Method> methods = new ArrayList<>();
        for (List<FinishedRun> group : repeated(runs)) {
            methods.add(method(group));
        }
        for (Path model : models) {
            if (!isSame(model, untouched.path())) {
                methods.add(new Method(lastName(model), List.of(entry(model, format)), List.of(), List.of()));
            }
        }
        if (methods.isEmpty()) {
            throw new BadInputException(untouched.path() + ": nothing to compare it with; give runs or further models");
        }
        Contenders all = new Contenders(
                untouched,
                named(methods),
                runs.stream().map(FinishedRun::unknown).filter(Objects::nonNull).toList());
        all.requireNamesOfTheirOwn();
        return all;
    }

    private static void requireDistinct(List<Path> sources) {
        for (int i = 0; i < sources.size(); i++) {
            Path path = sources.get(i);
            if (!Files.exists(path)) {
                throw new BadInputException(path + ": no such run folder or model");
            }
            if (sources.subList(0, i).stream().anyMatch(earlier -> isSame(earlier, path))) {
                throw new BadInputException(path + ": is given twice");
            }
        }
    }

    private static boolean isSame(Path a, Path b) {
        try {
            return Files.isSameFile(a, b);
        } catch (IOException e) {
            throw new BadInputException(a + ": cannot be read: " + e, e);
        }
    }

    private static void requireSameStart(List<FinishedRun> runs) {
        for (FinishedRun run : runs) {
            if (!isSame(run.untouched(), runs.get(0).untouched())) {
                throw new BadInputException(run.folder() + ": started from " + run.untouched() + ", but "
                        + runs.get(0).folder() + " from " + runs.get(0).untouched()
                        + "; compare runs of one untouched model");
            }
        }
    }

    private static List<List<FinishedRun>> repeated(List<FinishedRun> runs) {
        List<List<FinishedRun>> groups = new ArrayList<>();
        for (FinishedRun run : runs) {
            List<FinishedRun> same = groups.stream()
                    .filter(group -> group.get(0).isRepeatedBy(run))
                    .findFirst()
                    .orElseGet(() -> {
                        groups.add(new ArrayList<>());
                        return groups.get(groups.size() - 1);
                    });
            same.stream()
                    .filter(other -> other.seed() == run.seed())
                    .findFirst()
                    .ifPresent(other -> {
                        throw new BadInputException(run.folder() + ": has the recipe and the seed of " + other.folder()
                                + "; give one of them");
                    });
            same.add(run);
        }
        return groups;
    }

    private static Method method(List<FinishedRun> runs) {
        return new Method(
                runs.get(0).method(),
                runs.stream().map(run -> entry(run.model(), null)).toList(),
                runs.stream().map(FinishedRun::seed).toList(),
                runs.stream().map(FinishedRun::cost).toList());
    }

    private static Suite.ModelEntry entry(Path path, String format) {
        return new Suite.ModelEntry(path.toString(), Suite.Kind.CLIP, path, format, null, null);
    }

    private static String lastName(Path model) {
        return Models.label(model);
    }

    /** Rows of one name are told apart by the path of their model, or of the first of them. */
    private static List<Method> named(List<Method> methods) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        methods.forEach(method -> counts.merge(method.name, 1, Integer::sum));
        return methods.stream()
                .map(method -> counts.get(method.name) == 1
                        ? method
                        : new Method(
                                method.name + " (" + method.models.get(0).name() + ")",
                                method.models,
                                method.seeds,
                                method.costs))
                .toList();
    }

    private void requireNamesOfTheirOwn() {
        Set<String> seen = new HashSet<>();
        for (Suite.ModelEntry model : models()) {
            if (!seen.add(model.name().replaceAll("[^A-Za-z0-9._@-]", "-"))) {
                throw new BadInputException(
                        model.path() + ": its cells would have the names of another model's; rename it");
            }
        }
    }

    /** All models: the untouched one and then those of the methods. */
    public List<Suite.ModelEntry> models() {
        return Stream.concat(Stream.of(untouched), methods.stream().flatMap(method -> method.models.stream()))
                .toList();
    }

    /**
     * Refuses models without a text tower where images are compared with texts, before anything is scored.
     *
     * @throws BadInputException naming the model
     */
    public void requireTexts(List<Suite.DataEntry> datasets) {
        for (Suite.DataEntry data : datasets) {
            if (data.tasks().stream().anyMatch(Task::needsTexts)) {
                models().forEach(model -> requireText(model, data));
                return;
            }
        }
    }

    private static void requireText(Suite.ModelEntry model, Suite.DataEntry data) {
        CheckpointFormat format = model.format() == null ? null : CheckpointFormat.of(model.format());
        if (ClipSummary.of(model.path(), format).text() == null) {
            throw new BadInputException(model.path() + ": has no text tower, which data set " + data.name()
                    + " needs; give a whole CLIP, or a suite of probes alone");
        }
    }
}
