package dev.diva.feedback;

/** What a squared error counts at its noise level. */
public enum LevelWeight {
    /** As the prediction is: a teacher that predicts noise is hardly heard at high noise, where it knows detail. */
    NONE,
    /** As the error of the velocity that the prediction implies, whatever the teacher predicts. */
    VELOCITY
}
