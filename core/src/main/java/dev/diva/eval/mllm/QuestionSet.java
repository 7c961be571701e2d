package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import dev.diva.eval.Result;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Questions of a benchmark in the order in which scorers read the answers, and its score. */
public interface QuestionSet {
    /** Which benchmark. */
    Benchmark benchmark();

    /** Folder or file that it was read from. */
    Path place();

    /** The questions. */
    List<Item> items();

    /**
     * Scores a model.
     *
     * @param texts one answer a question, in the order of {@link #items}
     * @param judge replies of judges: files of reviews for the wild benchmark, of yes and no for MMVP; else empty
     * @throws BadInputException when the rules need what is not there
     */
    Result score(String model, List<String> texts, Rules rules, List<Path> judge);

    /** Fails when an image is missing, naming the first and how many. */
    default void requireImages() {
        List<Picture> missing = new ArrayList<>();
        items().stream()
                .map(Item::picture)
                .distinct()
                .filter(picture -> !picture.isThere())
                .forEach(missing::add);
        if (!missing.isEmpty()) {
            throw new BadInputException(missing.get(0).name() + ": missing image"
                    + (missing.size() == 1 ? "" : " and " + (missing.size() - 1) + " more") + " of "
                    + benchmark().label() + "; nothing was answered");
        }
    }
}
