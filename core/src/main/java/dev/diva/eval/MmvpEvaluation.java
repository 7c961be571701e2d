package dev.diva.eval;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The record of one or more models on a set of pairs; every later model is tested against the first. */
public final class MmvpEvaluation implements SetEvaluation {
    private static final String IN_ORDER = "in order";

    private final MmvpSet set;
    private final List<Result> results = new ArrayList<>();

    public MmvpEvaluation(MmvpSet set) {
        this.set = set;
    }

    @Override
    public Result add(ImageTextEncoder encoder) {
        return add(encoder.name(), MmvpScorer.answers(set, encoder));
    }

    /** Scores a model's answers. */
    public Result add(String model, List<MmvpAnswer> answers) {
        boolean[] sheet = new boolean[answers.size()];
        Map<String, PairScore> patterns = new LinkedHashMap<>();
        int correct = 0;
        for (int i = 0; i < sheet.length; i++) {
            sheet[i] = answers.get(i).correct();
            int one = sheet[i] ? 1 : 0;
            correct += one;
            patterns.merge(
                    answers.get(i).pair().pattern(),
                    new PairScore(one, 1),
                    (sum, next) -> new PairScore(sum.pairsCorrect() + next.pairsCorrect(), sum.pairs() + 1));
        }
        PairScore pairs = new PairScore(correct, sheet.length);
        double average = patterns.values().stream()
                .mapToDouble(PairScore::fraction)
                .average()
                .orElseThrow();
        Map<String, Interval> intervals = new LinkedHashMap<>(); // in this order on every run
        intervals.put("average", averageInterval(answers));
        intervals.put("pairs", pairs.interval());
        Map<String, Double> metrics = new LinkedHashMap<>(Map.of("average", average));
        if (answers.stream().allMatch(MmvpAnswer::hasLead)) {
            addReasons(answers, metrics, intervals);
        }
        Result result = new Result(
                model,
                set.folder().toString(),
                metrics,
                intervals,
                Map.of("pairs", sheet),
                new PairResult(
                        patterns,
                        pairs,
                        answers.stream().map(answer -> Question.of(set, answer)).toList()),
                set.warnings(),
                Map.of(),
                Map.of(),
                answers.stream().map(this::sample).toList(),
                null);
        results.add(result);
        return result;
    }

    private Supplier<Map<String, Object>> sample(MmvpAnswer answer) {
        return () -> sample(Question.of(set, answer));
    }

    private static Map<String, Object> sample(Question question) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("id", question.id());
        record.put("pattern", question.pattern());
        record.put("images", question.images());
        record.put("statements", question.statements());
        record.put("picked", question.picked());
        record.put("margins", question.margins());
        record.put("correct", question.correct());
        return record;
    }

    /** Why pairs are right or wrong: the share in order, and the means of what tells the images apart and of what hides it. */
    private static void addReasons(
            List<MmvpAnswer> answers, Map<String, Double> metrics, Map<String, Interval> intervals) {
        int ordered = (int) answers.stream().filter(answer -> answer.sig() > 0).count();
        metrics.put(IN_ORDER, (double) ordered / answers.size());
        intervals.put(IN_ORDER, Interval.wilson(ordered, answers.size()));
        addMean("sig", answers.stream().mapToDouble(MmvpAnswer::sig).toArray(), metrics, intervals);
        addMean("bias", answers.stream().mapToDouble(MmvpAnswer::bias).toArray(), metrics, intervals);
    }

    private static void addMean(
            String name, double[] values, Map<String, Double> metrics, Map<String, Interval> intervals) {
        metrics.put(name, Arrays.stream(values).average().orElseThrow());
        if (values.length > 1) {
            intervals.put(name, Interval.ofMean(values));
        }
    }

    /** Wilson's where the average over patterns is the share of pairs, else the bootstrap of the average. */
    private Interval averageInterval(List<MmvpAnswer> answers) {
        Map<String, List<Double>> byPattern = new LinkedHashMap<>();
        answers.forEach(answer -> byPattern
                .computeIfAbsent(answer.pair().pattern(), pattern -> new ArrayList<>())
                .add(answer.correct() ? 1.0 : 0.0));
        long sizes = byPattern.values().stream().mapToInt(List::size).distinct().count();
        if (sizes == 1) {
            int correct = (int) answers.stream().filter(MmvpAnswer::correct).count();
            return Interval.wilson(correct, answers.size());
        }
        return Bootstrap.DEFAULT.interval(answers.size(), rows -> {
            Map<String, double[]> sums = new LinkedHashMap<>();
            for (int row : rows) {
                double[] sum = sums.computeIfAbsent(answers.get(row).pair().pattern(), pattern -> new double[2]);
                sum[0] += answers.get(row).correct() ? 1 : 0;
                sum[1]++;
            }
            return sums.values().stream()
                    .mapToDouble(sum -> sum[0] / sum[1])
                    .average()
                    .orElseThrow();
        });
    }

    @Override
    public Evaluation finish() {
        return Evaluation.of("mmvp", results);
    }
}
