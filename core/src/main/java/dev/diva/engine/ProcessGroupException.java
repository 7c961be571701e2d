package dev.diva.engine;

/**
 * The processes of a run could not meet, or one of them was lost. The message is one line that names the rank and says what to do; it
 * is the same on every process wherever they can still tell each other.
 */
public class ProcessGroupException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ProcessGroupException(String message) {
        super(message);
    }

    public ProcessGroupException(String message, Throwable cause) {
        super(message, cause);
    }
}
