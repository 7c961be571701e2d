package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import dev.diva.eval.PairResult;
import dev.diva.eval.PairScore;
import dev.diva.eval.Question;
import dev.diva.eval.Result;
import dev.diva.eval.Scores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** MMVP: a pair counts when both answers are right; chance is 25 %. Single answers are counted beside, chance 50 %. */
final class MmvpScore {
    private final MmvpQuestions set;
    private final List<String> texts;
    private final Rules rules;

    MmvpScore(MmvpQuestions set, List<String> texts, Rules rules) {
        this.set = set;
        this.texts = texts;
        this.rules = rules;
    }

    Result result(String model, List<Path> judge) {
        List<String> warnings = new ArrayList<>();
        Scores scores = new Scores();
        boolean[] right;
        boolean judged = rules != Rules.LMMS_EVAL && rules != Rules.VLMEVALKIT && !judge.isEmpty();
        if (judged) {
            right = judged(judge);
            warnings.add("the judge was told the labels as published: no corrected score");
        } else {
            if (rules == Rules.LLAVA || rules == Rules.MME_TOOL) {
                warnings.add(
                        "mmvp: no replies of the authors' judge (--judge; in a suite: judge); letters are read as lmms-eval does");
            }
            boolean corrects = rules == Rules.LMMS_EVAL;
            right = right(corrects ? MmvpQuestions.Row::correctedLabel : MmvpQuestions.Row::label);
            put(scores, "", right);
            if (set.isPublishedSize()) {
                String other = corrects ? "_original" : "_corrected";
                put(scores, other, right(corrects ? MmvpQuestions.Row::label : MmvpQuestions.Row::correctedLabel));
            }
        }
        if (judged) {
            put(scores, "", right);
        }
        boolean[] pairs = pairs(right);
        scores.answers("pairs", pairs);
        scores.answers("questions", right);
        return scores.result(model, set.place().toString(), warnings, pairResult(right, pairs));
    }

    /** The letter that the rules read from each answer, empty where they find none. */
    List<String> letters() {
        List<String> letters = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            letters.add(
                    rules == Rules.VLMEVALKIT
                            ? Letters.vlmEvalKit(texts.get(i), set.rows().get(i).choices())
                            : Letters.lmmsMmvp(texts.get(i)));
        }
        return letters;
    }

    private boolean[] right(Function<MmvpQuestions.Row, String> label) {
        List<String> letters = letters();
        boolean[] right = new boolean[letters.size()];
        for (int i = 0; i < right.length; i++) {
            right[i] = letters.get(i).equals(label.apply(set.rows().get(i)));
        }
        return right;
    }

    private boolean[] judged(List<Path> judge) {
        if (judge.size() != 1) {
            throw new BadInputException(judge.get(1) + ": mmvp takes one file of replies, its judge runs once");
        }
        List<String> replies = JudgeReplies.mmvp(judge.get(0), set);
        boolean[] right = new boolean[replies.size()];
        for (int i = 0; i < right.length; i++) {
            right[i] = replies.get(i).equalsIgnoreCase("yes"); // a period, a blank or a line feed fails, as published
        }
        return right;
    }

    private static void put(Scores scores, String suffix, boolean[] right) {
        boolean[] pairs = pairs(right);
        scores.putShare("pairs" + suffix, count(pairs), pairs.length);
        scores.putShare("questions" + suffix, count(right), right.length);
    }

    private static boolean[] pairs(boolean[] right) {
        boolean[] pairs = new boolean[right.length / 2];
        for (int i = 0; i < pairs.length; i++) {
            pairs[i] = right[2 * i] && right[2 * i + 1];
        }
        return pairs;
    }

    private static int count(boolean[] sheet) {
        int count = 0;
        for (boolean right : sheet) {
            count += right ? 1 : 0;
        }
        return count;
    }

    private PairResult pairResult(boolean[] right, boolean[] pairs) {
        Map<String, PairScore> patterns = new LinkedHashMap<>();
        List<Question> questions = new ArrayList<>();
        for (int i = 0; i < pairs.length; i++) {
            MmvpQuestions.Row first = set.rows().get(2 * i);
            MmvpQuestions.Row second = set.rows().get(2 * i + 1);
            if (!first.pattern().isEmpty()) {
                patterns.merge(
                        first.pattern(),
                        new PairScore(pairs[i] ? 1 : 0, 1),
                        (sum, one) -> new PairScore(sum.pairsCorrect() + one.pairsCorrect(), sum.pairs() + 1));
            }
            questions.add(new Question(
                    first.index() + "-" + second.index(),
                    first.pattern(),
                    List.of(relative(first), relative(second)),
                    List.of(statement(2 * i, right[2 * i]), statement(2 * i + 1, right[2 * i + 1])),
                    List.of(),
                    List.of(),
                    pairs[i]));
        }
        return new PairResult(patterns, new PairScore(count(pairs), pairs.length), questions);
    }

    private String relative(MmvpQuestions.Row row) {
        return set.place().relativize(row.picture().file()).toString();
    }

    private String statement(int row, boolean right) {
        MmvpQuestions.Row asked = set.rows().get(row);
        return asked.question() + " " + asked.options() + ": " + texts.get(row) + (right ? " (right)" : " (wrong)");
    }
}
