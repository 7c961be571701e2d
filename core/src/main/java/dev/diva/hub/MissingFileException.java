package dev.diva.hub;

import dev.diva.BadInputException;

/** A server says that it has no such file. */
public final class MissingFileException extends BadInputException {
    private static final long serialVersionUID = 1;

    /** @param message which and where */
    public MissingFileException(String message) {
        super(message);
    }
}
