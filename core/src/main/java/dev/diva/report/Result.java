package dev.diva.report;

import java.util.List;
import java.util.Map;

/**
 * The scores of one model on one set of data.
 *
 * @param label what the page calls the model: before, after, or its name
 * @param model the model as the evaluation names it
 * @param scores figures by name, in the order of the record
 * @param patterns scores by visual pattern, empty when there are none
 * @param warnings what the evaluation says a reader must know
 * @param pairs the score over all pairs, null when the task has none
 * @param gallery pictures of what changed, null when there are none
 */
public record Result(
        String task,
        String label,
        String model,
        String data,
        Map<String, Score> scores,
        Map<String, Score> patterns,
        Score pairs,
        List<Question> questions,
        List<String> warnings,
        PairGallery gallery) {
    Result withLabel(String name) {
        return new Result(task, name, model, data, scores, patterns, pairs, questions, warnings, gallery);
    }
}
