package dev.diva;

/**
 * Something that the user handed in is wrong: a file, a recipe, an image, an option. The message is one line that says what is
 * wrong, where, what was expected and what to do; the command line prints it alone and exits with 3.
 */
public class BadInputException extends RuntimeException {
    public BadInputException(String message) {
        super(message);
    }

    public BadInputException(String message, Throwable cause) {
        super(message, cause);
    }
}
