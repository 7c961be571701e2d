package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import dev.diva.PythonStrings;
import dev.diva.eval.Bootstrap;
import dev.diva.eval.Interval;
import dev.diva.eval.Result;
import dev.diva.eval.Scores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * LLaVA-Bench (in the wild): the model's mean mark over the reference's, both rounded to three digits, times 100 and rounded to one.
 * Papers print the mean of three runs of the judge.
 */
final class WildScore {
    private static final Pattern NUMBER = Pattern.compile("-?\\d+(?:\\.\\d+)?");
    /** A number as Python's {@code float} reads it, underscores left out. */
    private static final Pattern FLOAT = Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");

    /** Marks of the reference and the model. */
    record Marks(double reference, double model) {
        /** What a reply that cannot be read counts as, and is averaged in. */
        static final Marks UNREAD = new Marks(-1, -1);

        boolean isRead() {
            return !equals(UNREAD);
        }
    }

    /** One review. */
    record Review(String questionId, String category, Marks marks) {}

    /** One run of the judge. */
    record Run(Path file, List<Review> reviews, List<String> warnings) {
        Run sorted() {
            return new Run(
                    file,
                    reviews.stream()
                            .sorted(Comparator.comparing(Review::questionId))
                            .toList(),
                    warnings);
        }

        List<String> questions() {
            return reviews.stream().map(Review::questionId).toList();
        }
    }

    /**
     * Figures of one category in one run.
     *
     * @param relative 100 x model over reference, one decimal
     * @param reference ten times the reference's mean mark
     * @param model ten times the model's mean mark
     */
    record Summary(double relative, double reference, double model) {
        static Summary of(List<Marks> marks) {
            double reference = PythonStrings.round(mean(marks, true), 3);
            double model = PythonStrings.round(mean(marks, false), 3);
            return new Summary(
                    PythonStrings.round(model / reference * 100, 1),
                    PythonStrings.round(reference * 10, 1),
                    PythonStrings.round(model * 10, 1));
        }
    }

    private final List<Run> runs;

    WildScore(List<Run> runs) {
        this.runs = runs.stream().map(Run::sorted).toList();
        List<String> questions = this.runs.get(0).questions();
        for (Run run : this.runs) {
            if (!run.questions().equals(questions)) {
                throw new BadInputException(run.file + ": reviews of other questions than " + this.runs.get(0).file
                        + "; all runs judge the same");
            }
        }
    }

    /** LLaVA's {@code parse_score}: the first line is two numbers and nothing else, commas being blanks. */
    static Marks llava(String reply) {
        int end = reply.indexOf('\n');
        List<String> parts = PythonStrings.blanks((end < 0 ? reply : reply.substring(0, end)).replace(',', ' '));
        if (parts.size() != 2) {
            return Marks.UNREAD;
        }
        String first = PythonStrings.strip(parts.get(0));
        String second = PythonStrings.strip(parts.get(1));
        return FLOAT.matcher(first).matches() && FLOAT.matcher(second).matches()
                ? new Marks(Double.parseDouble(first), Double.parseDouble(second))
                : Marks.UNREAD;
    }

    /** lmms-eval: the first two numbers of the first line. */
    static Marks lmmsEval(String reply) {
        String line = PythonStrings.strip(reply).split("\n", -1)[0];
        Matcher matcher = NUMBER.matcher(line.replace(',', ' ').replace(';', ' '));
        double[] marks = new double[2];
        for (int i = 0; i < 2; i++) {
            if (!matcher.find()) {
                return Marks.UNREAD;
            }
            marks[i] = Double.parseDouble(matcher.group());
        }
        return new Marks(marks[0], marks[1]);
    }

    static Summary summary(Run run, Predicate<Review> of) {
        return Summary.of(run.reviews.stream().filter(of).map(Review::marks).toList());
    }

    Result result(String model, String data) {
        Scores scores = new Scores();
        List<String> warnings = new ArrayList<>();
        runs.forEach(run -> warnings.addAll(run.warnings));
        put(scores, "all", review -> true);
        TreeSet<String> categories = new TreeSet<>();
        runs.forEach(run -> run.reviews.forEach(review -> categories.add(review.category)));
        categories.forEach(category -> put(scores, category, review -> review.category.equals(category)));
        double[] all = runs.stream()
                .mapToDouble(run -> summary(run, review -> true).relative() / 100)
                .toArray();
        for (int i = 0; i < all.length; i++) {
            scores.put("run_" + (i + 1), all[i], interval(List.of(runs.get(i)), review -> true));
        }
        if (all.length > 1) {
            scores.put("judge_spread", spread(all));
        }
        return scores.result(model, data, warnings);
    }

    private static double spread(double[] values) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (double value : values) {
            low = Math.min(low, value);
            high = Math.max(high, value);
        }
        return high - low;
    }

    private void put(Scores scores, String name, Predicate<Review> of) {
        double relative = 0;
        double reference = 0;
        double model = 0;
        for (Run run : runs) {
            Summary summary = summary(run, of);
            if (Double.isNaN(summary.relative) || Double.isInfinite(summary.relative)) {
                throw new BadInputException(run.file + ": the reference's mean mark of " + name + " is 0");
            }
            relative += summary.relative / 100 / runs.size();
            reference += summary.reference / 100 / runs.size();
            model += summary.model / 100 / runs.size();
        }
        scores.put(name, relative, interval(runs, of));
        scores.put(name + "_reference", reference);
        scores.put(name + "_model", model);
    }

    /** Bootstrap over the questions, the same drawn of every run, without rounding. */
    private static Interval interval(List<Run> runs, Predicate<Review> of) {
        List<List<Marks>> marks = runs.stream()
                .map(run -> run.reviews.stream().filter(of).map(Review::marks).toList())
                .toList();
        return Bootstrap.DEFAULT.interval(marks.get(0).size(), rows -> {
            double sum = 0;
            for (List<Marks> run : marks) {
                List<Marks> drawn = new ArrayList<>();
                for (int row : rows) {
                    drawn.add(run.get(row));
                }
                sum += mean(drawn, false) / mean(drawn, true);
            }
            return sum / marks.size();
        });
    }

    private static double mean(List<Marks> marks, boolean reference) {
        return marks.stream()
                        .mapToDouble(mark -> reference ? mark.reference : mark.model)
                        .sum()
                / marks.size();
    }
}
