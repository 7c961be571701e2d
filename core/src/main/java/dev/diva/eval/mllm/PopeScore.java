package dev.diva.eval.mllm;

import dev.diva.eval.Bootstrap;
import dev.diva.eval.Result;
import dev.diva.eval.Scores;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** POPE: F1 of "yes" per category; papers print the mean of the three. A ratio without a denominator is 0. */
final class PopeScore {
    private static final List<String> CATEGORIES = List.of("random", "popular", "adversarial");

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
        bootstrapped(scores, "f1", answers, this::meanF1);
        for (String category : categories()) {
            List<Answer> part = of(category);
            Tally tally = tally(part);
            bootstrapped(scores, category + "_f1", part, drawn -> tally(drawn).f1());
            scores.putShare(category + "_accuracy", tally.right, tally.total);
            bootstrapped(
                    scores, category + "_precision", part, drawn -> tally(drawn).precision());
            bootstrapped(
                    scores, category + "_recall", part, drawn -> tally(drawn).recall());
            scores.putShare(category + "_yes_ratio", tally.yes, tally.total);
            scores.answers(category, sheet(part));
        }
        if (rules == Rules.VLMEVALKIT) {
            bootstrapped(scores, "overall_f1", answers, drawn -> tally(drawn).f1());
        }
        scores.putShare("accuracy", tally(answers).right, answers.size());
        scores.answers("questions", sheet(answers));
        List<String> warnings = categories().size() == CATEGORIES.size()
                ? List.of()
                : List.of(data + ": labels of " + categories() + " only; f1 is not the mean of three");
        return scores.result(model, data, warnings);
    }

    private double meanF1(List<Answer> of) {
        return categories().stream()
                .mapToDouble(category -> tally(of.stream()
                                .filter(answer -> answer.category.equals(category))
                                .toList())
                        .f1())
                .average()
                .orElse(0);
    }

    private static void bootstrapped(
            Scores scores, String name, List<Answer> of, ToDoubleFunction<List<Answer>> statistic) {
        scores.put(name, statistic.applyAsDouble(of), Bootstrap.DEFAULT.interval(of.size(), rows -> {
            List<Answer> drawn = new ArrayList<>(rows.length);
            for (int row : rows) {
                drawn.add(of.get(row));
            }
            return statistic.applyAsDouble(drawn);
        }));
    }

    private static boolean[] sheet(List<Answer> of) {
        boolean[] sheet = new boolean[of.size()];
        for (int i = 0; i < sheet.length; i++) {
            sheet[i] = of.get(i).right();
        }
        return sheet;
    }
}
