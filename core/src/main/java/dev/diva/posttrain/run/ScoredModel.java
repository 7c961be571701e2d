package dev.diva.posttrain.run;

import java.nio.file.Path;

/** Scores a model on held-out data; plugged in from outside, because training knows no evaluation. */
@FunctionalInterface
public interface ScoredModel {
    /**
     * Scores a checkpoint.
     *
     * @param clip folder or file
     * @param record where the evaluation is to be written, JSON
     * @return the score; higher is better
     */
    double score(Path clip, Path record);
}
