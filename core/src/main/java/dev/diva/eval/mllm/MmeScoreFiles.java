package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import dev.diva.TextFile;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.eval.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Files that MME's {@code calculation.py} reads: {@code CATEGORY.txt} with lines {@code name TAB question TAB label TAB answer}. */
public final class MmeScoreFiles {
    private MmeScoreFiles() {}

    /** Whether a folder holds such files. */
    public static boolean isFolder(Path folder) {
        return Files.isDirectory(folder)
                && Stream.concat(MmeScore.PERCEPTION.stream(), MmeScore.COGNITION.stream())
                        .anyMatch(name -> Files.exists(folder.resolve(name + ".txt")));
    }

    /** Scores a folder of such files; no other data is needed. */
    public static Result score(Path folder, String model, Rules rules) {
        List<MmeScore.Answer> answers = new ArrayList<>();
        Stream.concat(MmeScore.PERCEPTION.stream(), MmeScore.COGNITION.stream())
                .filter(name -> Files.exists(folder.resolve(name + ".txt")))
                .forEach(name -> read(folder.resolve(name + ".txt"), name, answers));
        return new MmeScore(answers, rules).result(model, "score files of mme");
    }

    private static void read(Path file, String category, List<MmeScore.Answer> answers) {
        List<String> lines = TextFile.read(file).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String place = file + " line " + (i + 1);
            String[] cells = lines.get(i).split("\t", -1);
            if (cells.length != 4) {
                throw new BadInputException(place + ": " + cells.length
                        + " columns, expected name, question, label, answer (a tab or line feed inside an answer?)");
            }
            answers.add(new MmeScore.Answer(
                    category, cells[0], MmeQuestions.label(cells[2], file, i + 1), cells[3], place));
        }
    }

    /** Writes the answers as LLaVA's converter does, with tabs and line ends inside an answer as blanks. */
    public static void write(MmeQuestions set, List<String> texts, Path folder) {
        Map<String, StringBuilder> files = new LinkedHashMap<>();
        for (int i = 0; i < texts.size(); i++) {
            MmeQuestions.Labelled asked = set.questions().get(i);
            String label = asked.label().equals("yes") ? "Yes" : "No";
            files.computeIfAbsent(asked.category(), key -> new StringBuilder())
                    .append(String.join(
                            "\t",
                            asked.name(),
                            asked.question(),
                            label,
                            texts.get(i).replaceAll("[\\t\\r\\n]", " ")))
                    .append('\n');
        }
        files.forEach((category, text) -> AtomicFile.writeString(folder.resolve(category + ".txt"), text.toString()));
    }
}
