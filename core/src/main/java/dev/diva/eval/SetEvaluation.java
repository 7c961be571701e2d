package dev.diva.eval;

/** A comparison of models on one set of data; every later model is tested against the first. */
public interface SetEvaluation {
    /** Scores a model; it may be closed afterwards. */
    Result add(ImageTextEncoder encoder);

    /** The record so far. */
    Evaluation finish();
}
