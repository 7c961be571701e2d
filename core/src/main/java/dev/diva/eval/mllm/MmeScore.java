package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import dev.diva.eval.Bootstrap;
import dev.diva.eval.Result;
import dev.diva.eval.Scores;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * MME: a subtask's score is 100 x share of right answers + 100 x share of images with both right. Perception sums ten subtasks (2000
 * points), cognition four (800). Pairs are consecutive lines of a subtask.
 */
final class MmeScore {
    static final List<String> PERCEPTION = List.of(
            "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR");
    static final List<String> COGNITION =
            List.of("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning");
    private static final int SUBTASK_POINTS = 200;

    /**
     * One answer.
     *
     * @param image name of the image
     * @param label yes or no
     * @param place what messages call it
     */
    record Answer(String category, String image, String label, String text, String place) {
        String read(Rules rules) {
            return switch (rules) {
                case LMMS_EVAL -> YesNo.lmmsMme(text);
                case VLMEVALKIT -> YesNo.vlmEvalKit(text);
                case LLAVA, MME_TOOL -> YesNo.mmeTool(text);
            };
        }

        boolean right(Rules rules) {
            return label.equals(read(rules));
        }
    }

    private final Map<String, List<Answer>> subtasks = new LinkedHashMap<>();
    private final Rules rules;

    MmeScore(List<Answer> answers, Rules rules) {
        this.rules = rules;
        PERCEPTION.forEach(name -> subtasks.put(name, new ArrayList<>()));
        COGNITION.forEach(name -> subtasks.put(name, new ArrayList<>()));
        for (Answer answer : answers) {
            List<Answer> subtask = subtasks.get(answer.category);
            if (subtask == null) {
                throw new BadInputException(
                        answer.place + ": \"" + answer.category + "\" is none of the subtasks of MME");
            }
            subtask.add(answer);
        }
        subtasks.forEach(MmeScore::requirePairs);
    }

    private static void requirePairs(String name, List<Answer> answers) {
        for (int i = 0; i < answers.size(); i += 2) {
            Answer first = answers.get(i);
            if (i + 1 == answers.size() || !answers.get(i + 1).image.equals(first.image)) {
                throw new BadInputException(first.place + ": the next line of " + name
                        + " is not the other question on " + first.image + "; MME pairs consecutive lines");
            }
        }
    }

    Result result(String model, String data) {
        Scores scores = new Scores();
        List<String> warnings = new ArrayList<>();
        put(scores, "perception", PERCEPTION);
        put(scores, "cognition", COGNITION);
        List<String> missing = new ArrayList<>();
        subtasks.forEach((name, answers) -> {
            if (answers.isEmpty()) {
                missing.add(name);
            } else {
                put(scores, name, List.of(name));
            }
        });
        if (!missing.isEmpty()) {
            warnings.add(data + ": no questions of " + String.join(", ", missing) + "; the sums are not those of MME");
        }
        List<Answer> all = subtasks.values().stream().flatMap(List::stream).toList();
        boolean[] sheet = new boolean[all.size()];
        for (int i = 0; i < sheet.length; i++) {
            sheet[i] = all.get(i).right(rules);
        }
        scores.answers("questions", sheet);
        return scores.result(model, data, warnings);
    }

    private void put(Scores scores, String name, List<String> of) {
        List<double[]> strata = of.stream()
                .map(this::pairScores)
                .filter(values -> values.length > 0)
                .toList();
        int full = SUBTASK_POINTS * of.size();
        if (!strata.isEmpty()) {
            double points = strata.stream().mapToDouble(MmeScore::mean).sum();
            scores.putPoints(name, points, full, Bootstrap.DEFAULT.sumOfMeans(strata));
        }
    }

    /** Points of each image of a subtask: 100 x share right + 100 when both are. */
    private double[] pairScores(String name) {
        List<Answer> answers = subtasks.get(name);
        double[] scores = new double[answers.size() / 2];
        for (int i = 0; i < scores.length; i++) {
            int right = (answers.get(2 * i).right(rules) ? 1 : 0)
                    + (answers.get(2 * i + 1).right(rules) ? 1 : 0);
            scores[i] = 50.0 * right + (right == 2 ? 100 : 0);
        }
        return scores;
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }
}
