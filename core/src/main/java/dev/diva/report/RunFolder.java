package dev.diva.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a run left on disk. Every part may be missing: a run that was killed, or one that was never evaluated, has a report too.
 *
 * @param objective that it minimised
 * @param loss how it has changed
 * @param recipe text of recipe.yaml, empty when there is none
 * @param notes lines of notes.txt: sentences that whoever made the run has to say about its figures
 */
record RunFolder(
        String name,
        Objective objective,
        List<Evaluation> evaluations,
        List<Curve> curves,
        Optional<LossChange> loss,
        String recipe,
        Map<String, String> manifest,
        Map<String, String> data,
        List<Reconstruction> reconstructions,
        List<Reconstruction> heatMaps,
        List<String> notes) {

    /** Reads a run folder, or a single evaluation file as a run that has nothing else. */
    static RunFolder read(Path path) {
        if (Files.isRegularFile(path)) {
            return new RunFolder(
                    "",
                    Objective.OTHER,
                    List.of(EvaluationReader.read(path)),
                    List.of(),
                    Optional.empty(),
                    "",
                    Map.of(),
                    Map.of(),
                    List.of(),
                    List.of(),
                    List.of());
        }
        if (!Files.isDirectory(path)) {
            throw new BadInputException(path + ": no such run folder or evaluation file");
        }
        Optional<JsonNode> manifest = file(path, "manifest.json").map(EvaluationReader::tree);
        Objective objective = manifest.map(Objective::of).orElse(Objective.OTHER);
        RunFolder run = new RunFolder(
                path.toAbsolutePath().normalize().getFileName().toString(),
                objective,
                evaluations(path.resolve("evaluations")),
                MetricsReader.read(path, objective.loss()),
                LossChange.read(path),
                file(path, "recipe.yaml").map(RunFolder::text).orElse(""),
                manifest.map(Facts::of).orElse(Map.of()),
                file(path, "data.json")
                        .map(EvaluationReader::tree)
                        .map(DataFacts::of)
                        .orElse(Map.of()),
                Reconstruction.read(path.resolve("reconstructions")),
                Reconstruction.read(path.resolve("heatmaps")),
                file(path, "notes.txt")
                        .map(RunFolder::text)
                        .map(String::lines)
                        .map(Stream::toList)
                        .orElse(List.of()));
        if (run.evaluations.isEmpty() && run.curves.isEmpty() && run.recipe.isEmpty() && run.manifest.isEmpty()) {
            throw new BadInputException(
                    path + ": no run: expected recipe.yaml, manifest.json, metrics.jsonl or evaluations/*.json in it");
        }
        return run;
    }

    private static List<Evaluation> evaluations(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".json"))
                    .sorted(Comparator.comparingInt(RunFolder::order).thenComparing(Path::getFileName))
                    .map(EvaluationReader::read)
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    /** Before training first, after it last, whatever the alphabet says. */
    private static int order(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.startsWith("before") ? 0 : name.startsWith("after") ? 2 : 1;
    }

    private static Optional<Path> file(Path folder, String name) {
        return Optional.of(folder.resolve(name)).filter(Files::isRegularFile);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
