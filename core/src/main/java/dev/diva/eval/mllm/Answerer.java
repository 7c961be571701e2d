package dev.diva.eval.mllm;

import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** A model that answers questions on images. */
public interface Answerer {
    /** What records call the model. */
    String name();

    /**
     * Answers questions on one image, so that what they share is computed once. Each answer is handed on as soon as it is there.
     *
     * @param items questions that are not answered yet, all on the same picture
     * @param answered takes the question and its answer, white space stripped
     */
    void answer(Picture picture, List<Item> items, BiConsumer<Item, String> answered);

    /** What its answers depend on beside the questions, by name: answers given under other settings are not continued. */
    default Map<String, String> settings() {
        return Map.of();
    }

    /** The user asked for an end; what was answered is on disk. */
    final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1;
    }
}
