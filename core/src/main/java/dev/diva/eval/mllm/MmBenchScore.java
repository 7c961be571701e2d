package dev.diva.eval.mllm;

import dev.diva.eval.Result;
import dev.diva.eval.Scores;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** MMBench: a question counts when all its rotations are right ({@code circular}); one that cannot be read is wrong. */
final class MmBenchScore {
    private final List<MmBenchRow> rows;
    private final List<String> texts;
    private final Rules rules;

    MmBenchScore(List<MmBenchRow> rows, List<String> texts, Rules rules) {
        this.rows = rows;
        this.texts = texts;
        this.rules = rules;
    }

    /** The letter read from an answer, empty when there is none. */
    String letter(int row) {
        Map<String, String> options = rows.get(row).options();
        return rules == Rules.LMMS_EVAL
                ? Letters.lmmsStatic(texts.get(row), options)
                : Letters.vlmEvalKit(texts.get(row), options);
    }

    /** By question, whether all rotations are right. A question whose first rotation is not there does not count. */
    Map<MmBenchRow, Boolean> circular(boolean[] right) {
        Map<Long, Boolean> all = new LinkedHashMap<>();
        for (int i = 0; i < right.length; i++) {
            all.merge(rows.get(i).group(), right[i], Boolean::logicalAnd);
        }
        Map<MmBenchRow, Boolean> questions = new LinkedHashMap<>();
        rows.stream().filter(MmBenchRow::isFirst).forEach(row -> questions.put(row, all.get(row.group())));
        return questions;
    }

    Result result(String model, String data) {
        boolean[] right = new boolean[rows.size()];
        boolean[] exact = new boolean[rows.size()];
        for (int i = 0; i < right.length; i++) {
            right[i] = letter(i).equals(rows.get(i).answer());
            exact[i] = texts.get(i).equals(rows.get(i).answer());
        }
        Scores scores = new Scores();
        Map<MmBenchRow, Boolean> questions = circular(right);
        share(scores, "circular", questions.values());
        share(scores, "circular_bare_letter", circular(exact).values());
        List<Boolean> first = new ArrayList<>();
        List<Boolean> all = new ArrayList<>();
        for (int i = 0; i < right.length; i++) {
            all.add(right[i]);
            if (rows.get(i).isFirst()) {
                first.add(right[i]);
            }
        }
        share(scores, "first_rotation", first);
        share(scores, "rows", all);
        byGroup(questions, MmBenchRow::ability).forEach((name, hits) -> share(scores, "ability: " + name, hits));
        byGroup(questions, MmBenchRow::category).forEach((name, hits) -> share(scores, "category: " + name, hits));
        scores.answers("circular", sheet(questions.values()));
        return scores.result(model, data, List.of());
    }

    private static Map<String, List<Boolean>> byGroup(
            Map<MmBenchRow, Boolean> questions, Function<MmBenchRow, String> group) {
        Map<String, List<Boolean>> groups = new TreeMap<>();
        questions.forEach((row, right) -> {
            if (!group.apply(row).isEmpty()) {
                groups.computeIfAbsent(group.apply(row), key -> new ArrayList<>())
                        .add(right);
            }
        });
        return groups;
    }

    private static void share(Scores scores, String name, java.util.Collection<Boolean> hits) {
        if (!hits.isEmpty()) {
            int right = (int) hits.stream().filter(hit -> hit).count();
            scores.putShare(name, right, hits.size());
        }
    }

    private static boolean[] sheet(java.util.Collection<Boolean> hits) {
        boolean[] sheet = new boolean[hits.size()];
        int i = 0;
        for (boolean hit : hits) {
            sheet[i++] = hit;
        }
        return sheet;
    }
}
