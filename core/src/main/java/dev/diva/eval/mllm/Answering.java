package dev.diva.eval.mllm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** Lets a model answer a benchmark, image by image, so that what all questions of an image share is computed once. */
public final class Answering {
    private final QuestionSet set;
    private final Path file;

    /** @param file where the answers go; if it is there, only open questions are asked */
    public Answering(QuestionSet set, Path file) {
        this.set = set;
        this.file = file;
    }

    /**
     * Asks what is open.
     *
     * @param answered hears how many questions have an answer, after each
     * @return all answers in the order of the questions
     * @throws dev.diva.BadInputException when an image is missing, before anything is asked, or the file does not fit
     */
    public List<String> run(Answerer model, IntConsumer answered) {
        set.requireImages();
        List<Item> items = set.items();
        try (AnswersFile answers = new AnswersFile(set, file, model.name())) {
            Map<Picture, List<Integer>> open = new LinkedHashMap<>();
            int done = 0;
            for (int i = 0; i < items.size(); i++) {
                if (answers.isAnswered(i)) {
                    done++;
                } else {
                    open.computeIfAbsent(items.get(i).picture(), key -> new ArrayList<>())
                            .add(i);
                }
            }
            answered.accept(done);
            int[] count = {done};
            open.forEach((picture, rows) -> {
                List<Item> asked = rows.stream().map(items::get).toList();
                model.answer(picture, asked, (item, text) -> {
                    answers.add(rows.get(position(asked, item)), text);
                    answered.accept(++count[0]);
                });
            });
            return answers.finish();
        }
    }

    @SuppressWarnings("ReferenceEquality") // equal questions may stand twice
    private static int position(List<Item> asked, Item item) {
        for (int i = 0; i < asked.size(); i++) {
            if (asked.get(i) == item) {
                return i;
            }
        }
        throw new IllegalArgumentException("an answer to a question that was not asked: " + item.id());
    }
}
