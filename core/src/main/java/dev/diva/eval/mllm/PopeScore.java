package dev.diva.eval.mllm;

import dev.diva.eval.Bootstrap;
import dev.diva.eval.Interval;
import dev.diva.eval.Result;
import dev.diva.eval.Scores;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** POPE: F1 of "yes" per category; papers print the mean of the three. A ratio without a denominator is 0. */
final class PopeScore {
    private static final List<String> CATEGORIES = List.of("random", "popular", "adversarial");
    private static final int OUTCOMES = 4;

    /**
     * One answer.
     *
     * @param label yes or no
     * @param read what the rules read: yes, no, or something else
     */
    record Answer(String category, String label, String read) {
        static Answer of(String category, String label, String text, Rules rules) {
            String read = switch (rules) {
                case LMMS_EVAL -> YesNo.lmmsPope(text);
                case VLMEVALKIT -> YesNo.vlmEvalKit(text);
                case LLAVA, MME_TOOL -> YesNo.llavaPope(text);
            };
            return new Answer(category, label, read);
        }

        boolean right() {
            return label.equals(read);
        }
    }

    /** Counts of a set of answers. */
    record Tally(int truePositives, int falsePositives, int falseNegatives, int right, int yes, int total) {
        double precision() {
            return ratio(truePositives, truePositives + falsePositives);
        }

        double recall() {
            return ratio(truePositives, truePositives + falseNegatives);
        }

        double f1() {
            double sum = precision() + recall();
            return sum == 0 ? 0 : 2 * precision() * recall() / sum;
        }

        double accuracy() {
            return ratio(right, total);
        }

        double yesRatio() {
            return ratio(yes, total);
        }

        private static double ratio(int count, int of) {
            return of == 0 ? 0 : (double) count / of;
        }
    }

    private final List<Answer> answers;
    private final Rules rules;

    PopeScore(List<Answer> answers, Rules rules) {
        this.answers = answers;
        this.rules = rules;
    }

    Tally tally(List<Answer> of) {
        int[] n = new int[5];
        for (Answer answer : of) {
            boolean yes = answer.label.equals("yes");
            boolean said = answer.read.equals("yes");
            boolean denied = rules == Rules.LMMS_EVAL ? answer.read.equals("no") : !said; // lmms-eval drops the unread
            n[0] += yes && said ? 1 : 0;
            n[1] += !yes && said ? 1 : 0;
            n[2] += yes && denied ? 1 : 0;
            n[3] += answer.right() ? 1 : 0;
            n[4] += (rules == Rules.LMMS_EVAL ? yes : said) ? 1 : 0; // lmms-eval's ratio is that of the labels
        }
        return new Tally(n[0], n[1], n[2], n[3], n[4], of.size());
    }

    private List<Answer> of(String category) {
        return answers.stream()
                .filter(answer -> answer.category.equals(category))
                .toList();
    }

    private List<String> categories() {
        return CATEGORIES.stream().filter(category -> !of(category).isEmpty()).toList();
    }

    Result result(String model, String data) {
        Scores scores = new Scores();
        bootstrapped(scores, "f1", answers, PopeScore::meanF1);
        for (String category : categories()) {
            List<Answer> part = of(category);
            Tally tally = tally(part);
            bootstrapped(scores, category + "_f1", part, PopeScore::f1);
            scores.putShare(category + "_accuracy", tally.right, tally.total);
            share(scores, category + "_precision", tally.truePositives, tally.falsePositives);
            share(scores, category + "_recall", tally.truePositives, tally.falseNegatives);
            scores.putShare(category + "_yes_ratio", tally.yes, tally.total);
            scores.answers(category, sheet(part));
        }
        if (rules == Rules.VLMEVALKIT) {
            bootstrapped(scores, "overall_f1", answers, PopeScore::f1);
        }
        scores.putShare("accuracy", tally(answers).right, answers.size());
        scores.answers("questions", sheet(answers));
        List<String> warnings = categories().size() == CATEGORIES.size()
                ? List.of()
                : List.of(data + ": labels of " + categories() + " only; f1 is not the mean of three");
        return scores.result(model, data, warnings);
    }

    /** A share of true positives; without any the value is 0, and nothing is known of its interval. */
    private static void share(Scores scores, String name, int right, int wrong) {
        if (right + wrong == 0) {
            scores.put(name, 0, new Interval(0, 1));
        } else {
            scores.putShare(name, right, right + wrong);
        }
    }

    /** Mean over the categories that there are; counts as {@link #bootstrapped} keeps them. */
    private static double meanF1(int... counts) {
        double sum = 0;
        int categories = 0;
        for (int c = 0; c < CATEGORIES.size(); c++) {
            int[] own = Arrays.copyOfRange(counts, c * OUTCOMES, (c + 1) * OUTCOMES);
            if (Arrays.stream(own).sum() > 0) {
                sum += f1(own);
                categories++;
            }
        }
        return categories == 0 ? 0 : sum / categories;
    }

    /** F1 over all categories together. */
    private static double f1(int... counts) {
        int[] sums = new int[OUTCOMES];
        for (int i = 0; i < counts.length; i++) {
            sums[i % OUTCOMES] += counts[i];
        }
        return new Tally(sums[0], sums[1], sums[2], 0, 0, 0).f1();
    }

    /** Resamples answers and counts them by category and outcome: true positive, false positive, false negative, the rest. */
    private void bootstrapped(Scores scores, String name, List<Answer> of, ToDoubleFunction<int[]> statistic) {
        int[] cells = of.stream().mapToInt(this::cell).toArray();
        ToDoubleFunction<int[]> counted = rows -> {
            int[] counts = new int[CATEGORIES.size() * OUTCOMES];
            for (int row : rows) {
                counts[cells[row]]++;
            }
            return statistic.applyAsDouble(counts);
        };
        double value = counted.applyAsDouble(IntStream.range(0, cells.length).toArray());
        scores.put(name, value, Bootstrap.DEFAULT.interval(cells.length, counted));
    }

    private int cell(Answer answer) {
        Tally one = tally(List.of(answer));
        int outcome = one.truePositives == 1 ? 0 : one.falsePositives == 1 ? 1 : one.falseNegatives == 1 ? 2 : 3;
        return CATEGORIES.indexOf(answer.category) * OUTCOMES + outcome;
    }

    private static boolean[] sheet(List<Answer> of) {
        boolean[] sheet = new boolean[of.size()];
        for (int i = 0; i < sheet.length; i++) {
            sheet[i] = of.get(i).right();
        }
        return sheet;
    }
}
