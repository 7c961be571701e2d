package dev.diva.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The {@link Schedule.Kind}s that a recipe may choose from, as it names them. */
public enum ScheduleName {
    @JsonProperty("cosine")
    COSINE(Schedule.Kind.COSINE),
    @JsonProperty("linear")
    LINEAR(Schedule.Kind.LINEAR),
    @JsonProperty("constant")
    CONSTANT(Schedule.Kind.CONSTANT);

    private final Schedule.Kind kind;

    ScheduleName(Schedule.Kind kind) {
        this.kind = kind;
    }

    /** Its shape. */
    public Schedule.Kind kind() {
        return kind;
    }
}
