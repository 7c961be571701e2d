package dev.diva.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The results of several models on the same data, the first model being the one that the others are compared with.
 *
 * @param models one result a model, at least one
 * @param test paired test between the first and the last model, null when nothing pairs them
 * @param tests every recorded test between the two, one a metric
 */
public record Comparison(String task, String data, List<Result> models, PairedTest test, List<PairedTest> tests) {
    /** Groups the results of all files by task and data, in the order of the files. */
    static List<Comparison> of(List<Evaluation> evaluations) {
        Map<List<String>, List<Result>> groups = new LinkedHashMap<>();
        List<PairedTest> tests = new ArrayList<>();
        for (Evaluation evaluation : evaluations) {
            tests.addAll(evaluation.tests());
            for (Result result : evaluation.results()) {
                groups.computeIfAbsent(List.of(result.task(), result.data()), key -> new ArrayList<>())
                        .add(result);
            }
        }
        List<Comparison> comparisons = new ArrayList<>();
        groups.forEach((key, models) -> comparisons.add(new Comparison(
                key.get(0), key.get(1), models, test(key.get(1), models, tests), tests(key.get(1), models, tests))));
        return comparisons;
    }

    /** The result that the others are compared with. */
    public Result first() {
        return models.get(0);
    }

    /** The result that the page is about. */
    public Result last() {
        return models.get(models.size() - 1);
    }

    /** Whether there is anything to compare. */
    public boolean paired() {
        return models.size() > 1;
    }

    /** One row for each visual pattern that any model was scored on. */
    public List<ScoreRow> patternRows() {
        return rows(Result::patterns, name -> name);
    }

    /** One row for each figure. */
    public List<ScoreRow> metricRows(Function<String, String> label) {
        return rows(Result::scores, label);
    }

    private List<ScoreRow> rows(Function<Result, Map<String, Score>> part, Function<String, String> label) {
        Set<String> names = new LinkedHashSet<>();
        models.forEach(model -> names.addAll(part.apply(model).keySet()));
        return names.stream()
                .map(name -> new ScoreRow(
                        label.apply(name),
                        models.stream()
                                .map(model -> part.apply(model).get(name))
                                .toList()))
                .toList();
    }

    private static PairedTest test(String data, List<Result> models, List<PairedTest> tests) {
        Result first = models.get(0);
        Result last = models.get(models.size() - 1);
        return tests.stream()
                .filter(test -> test.data().isEmpty() || test.data().equals(data))
                .filter(test ->
                        test.first().equals(first.model()) && test.second().equals(last.model()))
                .findFirst()
                .orElseGet(() -> counted(data, first, last));
    }

    private static List<PairedTest> tests(String data, List<Result> models, List<PairedTest> tests) {
        String first = models.get(0).model();
        String last = models.get(models.size() - 1).model();
        return tests.stream()
                .filter(test -> test.data().equals(data) || test.data().startsWith(data + " "))
                .filter(test -> test.first().equals(first) && test.second().equals(last))
                .toList();
    }

    private static PairedTest counted(String data, Result first, Result last) {
        Map<String, Question> before = new TreeMap<>();
        first.questions().forEach(question -> before.put(question.id(), question));
        int gained = 0;
        int lost = 0;
        int matched = 0;
        for (Question after : last.questions()) {
            Question same = before.get(after.id());
            if (same != null) {
                matched++;
                gained += after.correct() && !same.correct() ? 1 : 0;
                lost += same.correct() && !after.correct() ? 1 : 0;
            }
        }
        boolean complete = matched > 0 && matched == before.size() && !first.equals(last);
        return complete ? PairedTest.exact(data, first.label(), last.label(), gained, lost) : null;
    }
}
