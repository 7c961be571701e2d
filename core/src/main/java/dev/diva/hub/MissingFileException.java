package dev.diva.hub;

import dev.diva.BadInputException;

/** A server says that it has no such file. */
final class MissingFileException extends BadInputException {
    private static final long serialVersionUID = 1;

    MissingFileException(String message) {
        super(message);
    }
}
