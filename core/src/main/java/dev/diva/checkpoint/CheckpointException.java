package dev.diva.checkpoint;

import dev.diva.BadInputException;

/** A checkpoint that cannot be read, or that does not fit the model that it is read for. The message names file and keys. */
public final class CheckpointException extends BadInputException {
    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
